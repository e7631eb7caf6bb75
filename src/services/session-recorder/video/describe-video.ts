import type { Video } from '#contract/video.ts';
import type { VideoJob } from './video-jobs.ts';

/** Before that nobody can tell how long it will take. */
const FIRST_GUESS_MS = 2000;

/** A job as it is told to callers. */
export function describeVideo({ id, session, state, createdAt, finishedAt, progress, ...job }: VideoJob): Video {
  const { notes, result, error } = job;
  let left: number | null = null;
  if (progress !== null && progress.elapsedMs >= FIRST_GUESS_MS && progress.done > 0) {
    left = Math.ceil(((progress.elapsedMs / progress.done) * (progress.total - progress.done)) / 1000);
  }
  return {
    ...{ id, session_id: session, state, created_at: createdAt, finished_at: finishedAt },
    progress: progress === null ? null : progress.done / progress.total,
    seconds_left: left,
    notes: [...notes],
    facts: result && {
      ...{ encoder: result.encoder, acceleration: result.acceleration, codec: result.codec },
      ...{ width: result.width, height: result.height, frame_rate: result.frame_rate, frames: result.frames },
      ...{ seconds: result.seconds, bytes: result.bytes, sha256: result.sha256 },
      receipts_checked: result.receipts_checked,
    },
    error,
  };
}
