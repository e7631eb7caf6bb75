/**
 * The few bytes by which the two legs' frames of the same PDU differ: they are changed in place, so that frames are
 * forwarded as the bytes that arrived.
 */

/** TPKT 4, data TPDU 3, MCS choice 1, initiator 2. */
const CHANNEL_ID_OFFSET = 10;
/** Share control: totalLength 2, pduType 2. */
const PDU_SOURCE_OFFSET = 4;

/** Sets the channel of a frame with MCS send data. */
export function setChannelId(frame: Uint8Array, channelId: number): void {
  frame[CHANNEL_ID_OFFSET] = channelId >> 8;
  frame[CHANNEL_ID_OFFSET + 1] = channelId & 0xff;
}

/** A copy of a share control PDU from another sender. */
export function withPduSource(share: Uint8Array, source: number): Uint8Array {
  const copy = share.slice();
  // Senders may cut the header short after pduType.
  if (copy.length >= PDU_SOURCE_OFFSET + 2) {
    copy[PDU_SOURCE_OFFSET] = source & 0xff;
    copy[PDU_SOURCE_OFFSET + 1] = source >> 8;
  }
  return copy;
}
