/** How long a session may last, and how long nobody may touch it. */
import { ErrorInfo } from '#rdp/pdu/error-info.ts';
import type { SessionPolicy } from './channel-plan.ts';

export interface Limit {
  reason: string;
  errorInfo: number;
}

export interface LimitWatch {
  /** The person did something. */
  active(): void;
  /** The session is paused: nobody can do anything. The time that it may last goes on. */
  pause(): void;
  resume(): void;
  stop(): void;
}

const MINUTE_MS = 60_000;
const LOOK_MS = 1000;
const minutes = (count: number) => (count === 1 ? '1 minute' : `${count} minutes`);

/**
 * Watches the policy's time limits, by a clock that goes on whatever the machine's is set to.
 *
 * @param elapsedMs how long the session has lasted: it may have had connections before this one
 * @param exceeded called once, with the limit
 * @param clock in milliseconds
 */
export function watchLimits(
  policy: SessionPolicy,
  elapsedMs: number,
  exceeded: (limit: Limit) => void,
  clock = () => performance.now(),
): LimitWatch {
  const { max_minutes: longest, idle_minutes: idlest } = policy;
  const startedAt = clock() - elapsedMs;
  let lastActive = clock();
  let isPaused = false;
  const look = () => {
    const now = clock();
    if (longest !== undefined && now - startedAt >= longest * MINUTE_MS) {
      end({
        reason: `the session has lasted ${minutes(longest)}, as long as it may`,
        errorInfo: ErrorInfo.logonTimeout,
      });
    } else if (!isPaused && idlest !== undefined && now - lastActive >= idlest * MINUTE_MS) {
      end({ reason: `nobody used the session for ${minutes(idlest)}`, errorInfo: ErrorInfo.idleTimeout });
    }
  };
  const isLimited = longest !== undefined || idlest !== undefined;
  const timer = isLimited ? setInterval(look, LOOK_MS) : undefined;
  const stop = () => clearInterval(timer);
  const end = (limit: Limit) => {
    stop();
    exceeded(limit);
  };
  return {
    active: () => {
      lastActive = clock();
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      lastActive = clock();
    },
    stop,
  };
}
