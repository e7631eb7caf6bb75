import { ShareDataType } from '#rdp/pdu/share-data.ts';
import { type Notice, paintNotice, toUpdates } from './notice-picture.ts';
import { type Share, shareDataFrame } from './share.ts';

/** Frames that draw a notice over the whole of a share. */
export function noticeFrames(share: Share, ioChannelId: number, notice: Notice): Uint8Array[] {
  const updates = toUpdates(paintNotice(share.width, share.height, notice), share.depth);
  return updates.map((body) => shareDataFrame(share, ioChannelId, ShareDataType.update, body));
}
