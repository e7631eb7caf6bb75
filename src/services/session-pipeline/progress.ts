import type { Processing, SessionState } from '#contract/session-pipeline.ts';
import type { RecordingStatus } from '#contract/session-recorder.ts';
import type { QueuePosition } from './processing-queue.ts';

type Progress = Pick<Processing, 'stage' | 'percent'>;

/** Whether all that was recorded is sealed and stored: only entries are still to come. */
export function isAllSealed(recording: RecordingStatus): boolean {
  return recording.sealed_bytes >= recording.bytes;
}

/** Of 99: the last one is for the close entry. */
function percentSealed({ bytes, sealed_bytes }: RecordingStatus): number {
  return bytes === 0 ? 99 : Math.min(99, Math.floor((99 * sealed_bytes) / bytes));
}

/**
 * Where a session is on its way from its end to its close entry.
 *
 * @param recording null: the recorder cannot tell now
 */
export function progressOf(
  state: SessionState,
  position: Pick<QueuePosition, 'running'>,
  recording: RecordingStatus | null,
): Progress {
  switch (state) {
    case 'starting':
      return { stage: 'opening', percent: null };
    case 'stopped':
    case 'processing': {
      const percent = recording && percentSealed(recording);
      if (!position.running) return { stage: 'waiting', percent };
      return { stage: recording && isAllSealed(recording) ? 'closing' : 'sealing', percent };
    }
    case 'completed':
    case 'deleted':
      return { stage: 'done', percent: 100 };
    case 'failed':
      return { stage: 'failed', percent: recording && percentSealed(recording) };
    default:
      return { stage: null, percent: null };
  }
}
