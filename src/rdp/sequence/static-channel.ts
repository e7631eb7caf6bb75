/** Static virtual channels and the MCS ids that one connection gives them. Each leg of a gateway has ids of its own. */
import type { ChannelDef } from '../pdu/gcc-client-blocks.ts';

/** The I/O channel of every known server. */
export const IO_CHANNEL_ID = 1003;

export interface StaticChannel extends ChannelDef {
  /** MCS channel id. */
  id: number;
}

/**
 * Whether servers take a channel of this name: it has 1 to 7 characters. xrdp leaves others out of its count of joins
 * and then waits for a client that has joined everything.
 */
export function isChannelName(name: string): boolean {
  return name.length >= 1 && name.length <= 7;
}
