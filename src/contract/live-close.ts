/** How a live view's WebSocket is closed (docs/live-view.md, Its end). */
import { ERROR_STATUS, type ErrorCode, ServiceError } from './errors.ts';

/** The session is over. */
export const LIVE_OVER = 1000;
/** 4000 and an error's status: something stands in the way. The reason is its code, a colon, and words. */
const ERRORS_FROM = 4000;
/** The longest reason that a WebSocket's close carries, in bytes (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** Code and reason for an error. */
export function liveCloseOf({ code, message, status }: ServiceError): { code: number; reason: string } {
  const words = `${code}: ${message}`;
  let end = Math.min(words.length, MAX_REASON_BYTES);
  while (new TextEncoder().encode(words.slice(0, end)).length > MAX_REASON_BYTES) end--;
  return { code: ERRORS_FROM + status, reason: words.slice(0, end) };
}

/** What a close says: null when the session is over. */
export function liveErrorOf(code: number, reason: string): ServiceError | null {
  if (code === LIVE_OVER) return null;
  const [, name, words] = /^([a-z_]+): (.*)$/s.exec(reason) ?? [];
  if (code > ERRORS_FROM && Object.hasOwn(ERROR_STATUS, name ?? '')) return new ServiceError(name as ErrorCode, words);
  return new ServiceError('unavailable', `the live view broke off (${code})`);
}
