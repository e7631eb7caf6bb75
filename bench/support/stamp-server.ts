import { FastPathUpdateCode, Fragmentation, writeFastPathOutput } from '#rdp/pdu/fast-path-output.ts';
import { ScriptedServer } from '../../test/support/scripted-server.ts';

export interface StampServer {
  port: number;
  /** Sends a small update that holds a number of 32 bits, to every client whose share is open. */
  stamp(number: number): void;
  close(): Promise<void>;
}

/** Where a stamped frame holds its number: after the fast-path header, 3 bytes, and the update's, 3 bytes. */
const STAMP_OFFSET = 6;

/** The number in a frame of `stamp`, or null in any other. */
export function readStamp(frame: Uint8Array): number | null {
  if (frame.length !== STAMP_OFFSET + 4 || frame[3] !== FastPathUpdateCode.pointerPosition) return null;
  return new DataView(frame.buffer, frame.byteOffset).getUint32(STAMP_OFFSET, true);
}

/** An RDP server that sends nothing but numbered pointer positions: for measuring how long each takes. */
export async function startStampServer(): Promise<StampServer> {
  const server = await ScriptedServer.start();
  return {
    port: server.port,
    stamp(number) {
      const body = new Uint8Array(4);
      new DataView(body.buffer).setUint32(0, number, true);
      const frame = writeFastPathOutput(FastPathUpdateCode.pointerPosition, Fragmentation.single, body);
      for (const client of server.clients) if (client.isActive) client.socket.send([frame]);
    },
    close: () => server.close(),
  };
}
