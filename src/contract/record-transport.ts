/**
 * How records travel from a gateway to the recorder: in process as calls, between containers over a WebSocket. The
 * gateway shows a server byte to the client only once the record that holds it is acknowledged.
 */

/** A record as the gateway hands it over: number and journal are the recorder's business. */
export interface NewRecord {
  /** `RecordType` of evidence/record.ts. */
  type: number;
  flags: number;
  /** µs on the session's monotonic clock: 0 when the recording was opened. */
  timeUs: number;
  /** Owned by the recorder from the call on: the caller must not change it. */
  body: Uint8Array;
}

/** One connection's way to write into its session's recording. */
export interface RecordWriter {
  /** µs since the recording was opened, monotonic. */
  now(): number;
  /**
   * Appends a record.
   *
   * @returns its sequence number within this writer: 0, 1, 2, ...
   */
  append(record: NewRecord): number;
  /** Highest number for which all records up to it are durable; -1 at first. */
  readonly acknowledged: number;
  /** Bytes appended and not acknowledged yet. */
  readonly unacknowledgedBytes: number;
  /** Resolves once everything appended so far is durable. Rejects when recording has failed. */
  flush(): Promise<void>;
  /** Ends this connection's writing after a flush; the recording stays open for the next connection. */
  close(): Promise<void>;
}

export interface RecordWriterEvents {
  /** Records up to `number` (a writer's own count) are durable: called often, must be cheap. */
  acknowledged(number: number): void;
  /** Recording has stopped: the session must stop. `reason` is fit to be shown. */
  failed(reason: string): void;
}

export interface RecordTransport {
  /**
   * Attaches a connection to an open recording.
   *
   * @throws ServiceError `not_found` or `wrong_state` when there is no open recording, `conflict` when another
   *   connection writes to it, `unavailable` when the recorder cannot be reached
   */
  attach(sessionId: string, connectionId: string, events: RecordWriterEvents): Promise<RecordWriter>;
}

/** Above this many unacknowledged bytes a gateway stops reading from the server. */
export const UNACKNOWLEDGED_LIMIT_BYTES = 4 * 1024 * 1024;

/** A gateway ends a session whose records stay unacknowledged this long. */
export const ACKNOWLEDGEMENT_TIMEOUT_MS = 5000;
