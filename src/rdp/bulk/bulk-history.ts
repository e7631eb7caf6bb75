/**
 * Undoes the bulk compression of a server's PDUs: share data (MS-RDPBCGR 2.2.8.1.1.1.2) and fast-path updates
 * (2.2.9.1.2.1), which share one history, in the order in which they were sent.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { type FastPathUpdate, readFastPathOutput, writeFastPathUpdates } from '../pdu/fast-path-output.ts';
import { readDomainPdu, writeDomainPdu } from '../pdu/mcs-domain.ts';
import { readShareControls, type ShareControl, ShareControlType } from '../pdu/share-control.ts';
import { readShareData, shareDataHeadersSize } from '../pdu/share-data.ts';
import { utf16Bytes, utf16Text } from '../pdu/text.ts';
import { TPKT_VERSION } from '../pdu/x224.ts';
import { MppcDecoder, mppcHistorySize } from './mppc-decoder.ts';

const MAX_CONNECTION = 1000;

/** Where compressedType and compressedLength stand in a share data PDU with both its headers. */
const COMPRESSION_OFFSET = 15;

/** The bulk compression of one server connection after another, as their client keeps it. */
export class BulkHistory {
  readonly #decoder: MppcDecoder;
  #connection: string;

  private constructor(decoder: MppcDecoder, connection: string) {
    this.#decoder = decoder;
    this.#connection = connection;
  }

  /** The history that every connection begins with. */
  static empty(): BulkHistory {
    return new BulkHistory(new MppcDecoder(), '');
  }

  /** The history where PDUs are missing: it is not known until a server has it begin anew. */
  static lost(): BulkHistory {
    const decoder = new MppcDecoder();
    decoder.lose();
    return new BulkHistory(decoder, '');
  }

  /** A history that goes on where another's `save` stood. @throws DecodeError when the bytes are no such state */
  static restore(state: Uint8Array): BulkHistory {
    const reader = new Reader(state);
    const connection = utf16Text(reader.take(reader.u16('connection length'), 'connection'));
    return new BulkHistory(MppcDecoder.restore(reader.rest()), connection);
  }

  /** The history of a captured state: empty for a new one, null for one that is not known, as one is that cannot be read. */
  static open(state: Uint8Array | null): BulkHistory {
    if (state === null) return BulkHistory.lost();
    if (state.length === 0) return BulkHistory.empty();
    try {
      return BulkHistory.restore(state);
    } catch (error) {
      if (error instanceof DecodeError) return BulkHistory.lost();
      throw error;
    }
  }

  /** All that is needed to go on elsewhere, or later: u16 LE length | connection, UTF-16 LE | MPPC history. */
  save(): Uint8Array<ArrayBuffer> {
    const connection = utf16Bytes(this.#connection);
    const writer = new Writer(2 + connection.length + mppcHistorySize + 5);
    writer.u16(connection.length).raw(connection).raw(this.#decoder.save());
    return writer.finish() as Uint8Array<ArrayBuffer>;
  }

  /** Says of which server connection the next PDUs are. @param connection a text of its own, at most 1000 characters */
  begin(connection: string): void {
    if (connection === this.#connection) return;
    this.#connection = connection.slice(0, MAX_CONNECTION);
    this.#decoder.reset();
  }

  /**
   * Takes a server's PDUs one after another, none left out. Never throws: what cannot be undone stays as it came.
   *
   * @param pdu a whole TPKT packet or fast-path frame, as sent to the client inside TLS
   * @returns `pdu` itself when it says nothing of bulk compression; else a PDU of the same meaning that does not
   */
  undo(pdu: Uint8Array): Uint8Array {
    try {
      return pdu[0] === TPKT_VERSION ? this.#undoSlowPath(pdu) : this.#undoFastPath(pdu);
    } catch (error) {
      // RangeError: what is compressed would not fit its PDU otherwise. Servers compress what they could send as it is.
      if (error instanceof DecodeError || error instanceof RangeError) return pdu;
      throw error;
    }
  }

  #undoFastPath(frame: Uint8Array): Uint8Array {
    const updates = [...readFastPathOutput(frame)];
    if (updates.every(({ compressionFlags }) => compressionFlags === 0)) return frame;
    return writeFastPathUpdates(updates.map((update) => this.#undoUpdate(update)));
  }

  #undoUpdate(update: FastPathUpdate): FastPathUpdate {
    const data = this.#decode(update.data, update.compressionFlags);
    return data === null ? update : { ...update, compressionFlags: 0, data };
  }

  #undoSlowPath(frame: Uint8Array): Uint8Array {
    const pdu = readDomainPdu(frame);
    if (pdu.kind !== 'sendDataIndication') return frame;
    const shares = readShareControls(pdu.payload);
    const plain = shares.map((share) => this.#undoShare(share));
    if (plain.every((bytes, i) => bytes === shares[i].bytes)) return frame;
    const payload = new Writer(pdu.payload.length * 4);
    for (const bytes of plain) payload.raw(bytes);
    return writeDomainPdu({ ...pdu, payload: payload.finish() });
  }

  #undoShare({ type, body, bytes }: ShareControl): Uint8Array {
    if (type !== ShareControlType.data) return bytes;
    const data = readShareData(body);
    if (data.compressedType === 0) return bytes;
    const plain = this.#decode(data.body, data.compressedType);
    if (plain === null) return bytes;
    const headers = Uint8Array.from(bytes.subarray(0, shareDataHeadersSize)).fill(0, COMPRESSION_OFFSET);
    const length = headers.length + plain.length;
    return new Writer(length).raw(headers).raw(plain).patchU16(0, length).finish();
  }

  /** @returns a copy, or null when the data cannot be decompressed */
  #decode(data: Uint8Array, flags: number): Uint8Array | null {
    try {
      return this.#decoder.decode(data, flags).slice();
    } catch (error) {
      if (error instanceof DecodeError) return null;
      throw error;
    }
  }
}
