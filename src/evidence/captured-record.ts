/** Records as they are captured: server PDUs may still be in bulk compression, which stored records are not. */
import { FormatError } from './format-error.ts';
import { RecordType, type SessionRecord } from './record.ts';
import { readConfigBody } from './record-body.ts';

/** What undoes bulk compression of one PDU after another. */
export interface CompressionHistory {
  /** Says of which connection to a server the next PDUs are; it begins anew with each. */
  begin(connection: string): void;
  /** @returns the PDU itself where nothing is to be undone, or can be */
  undo(pdu: Uint8Array): Uint8Array;
}

/**
 * A captured record of the screen as it is stored. Records are to be given one after another, none left out.
 * @returns `record` itself where nothing was to be undone
 */
export function plainRecord(record: SessionRecord, history: CompressionHistory): SessionRecord {
  if (record.type === RecordType.config) beginConnection(record.body, history);
  if (record.type !== RecordType.serverPdu) return record;
  const body = history.undo(record.body);
  return body === record.body ? record : { ...record, body };
}

function beginConnection(config: Uint8Array, history: CompressionHistory): void {
  try {
    history.begin(readConfigBody(config).connection ?? '');
  } catch (error) {
    // Whoever reads the config is told what is wrong with it.
    if (!(error instanceof FormatError)) throw error;
  }
}
