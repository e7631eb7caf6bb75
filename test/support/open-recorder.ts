import type { NewRecord, RecordTransport, RecordWriter, RecordWriterEvents } from '#contract/record-transport.ts';

/** One attached connection, as a test sees it. */
export interface OpenRecording {
  sessionId: string;
  records: NewRecord[];
  closed: boolean;
  /** Acknowledges all that was appended. */
  acknowledge(): void;
  fail(reason: string): void;
}

/** The recorder's end of the record transport, in the hands of a test: it decides what is durable, and when. */
export class OpenRecorder implements RecordTransport {
  readonly recordings: OpenRecording[] = [];
  /** Whether records are durable as soon as they come. */
  isPrompt = true;

  async attach(sessionId: string, _connectionId: string, events: RecordWriterEvents): Promise<RecordWriter> {
    const recorder = this;
    const origin = performance.now();
    let acknowledged = -1;
    let bytes = 0;
    const records: NewRecord[] = [];
    let waiting: (() => void)[] = [];
    const recording: OpenRecording = {
      sessionId,
      records,
      closed: false,
      acknowledge() {
        if (acknowledged === records.length - 1) return;
        acknowledged = records.length - 1;
        bytes = 0;
        for (const resolve of waiting.splice(0)) resolve();
        events.acknowledged(acknowledged);
      },
      fail(reason) {
        waiting = [];
        events.failed(reason);
      },
    };
    this.recordings.push(recording);
    return {
      now: () => Math.floor((performance.now() - origin) * 1000),
      append(record) {
        const number = records.push({ ...record, body: record.body.slice() }) - 1;
        bytes += record.body.length;
        if (recorder.isPrompt) recording.acknowledge();
        return number;
      },
      get acknowledged() {
        return acknowledged;
      },
      get unacknowledgedBytes() {
        return bytes;
      },
      async flush() {
        if (acknowledged < records.length - 1) await new Promise<void>((resolve) => waiting.push(resolve));
      },
      async close() {
        recording.closed = true;
      },
    };
  }
}
