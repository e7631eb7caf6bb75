/** The values that stand in the text formats (leaves, entries, file names), each with one spelling. */
import { FormatError } from './format-error.ts';
import { quote } from './text.ts';

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Whether `text` is a session id as it stands in evidence: a UUID in lower case. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/**
 * @returns `text`, a UUID in lower case
 * @throws FormatError
 */
export function wantId(text: string, field: string): string {
  if (!SESSION_ID.test(text)) throw new FormatError(field, `${quote(text)}, wanted a UUID in lower case`);
  return text;
}

/**
 * Reads a number written in decimal digits without leading zeros.
 * @throws FormatError when it is not, or is above `max`
 */
export function wantNumber(text: string, field: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!/^(0|[1-9]\d{0,15})$/.test(text) || value > max) {
    throw new FormatError(field, `${quote(text)}, wanted a decimal number from 0 to ${max}`);
  }
  return value;
}

/**
 * @returns `text`, a time in RFC 3339, UTC, to the millisecond
 * @throws FormatError
 */
export function wantTime(text: string, field: string): string {
  const time = TIME.test(text) ? new Date(text) : null;
  if (time === null || Number.isNaN(time.getTime()) || time.toISOString() !== text) {
    throw new FormatError(field, `${quote(text)}, wanted a time like 2026-01-31T09:30:00.000Z`);
  }
  return text;
}

/**
 * @returns `text`, a value of `words`
 * @throws FormatError
 */
export function wantWord<Word extends string>(text: string, words: readonly Word[], field: string): Word {
  const word = words.find((known) => known === text);
  if (word === undefined) throw new FormatError(field, `${quote(text)}, wanted one of ${words.join(', ')}`);
  return word;
}

/**
 * @returns `text`, which `pattern` matches as a whole
 * @param wanted the pattern in words, for the error
 * @throws FormatError
 */
export function wantPattern(text: string, pattern: RegExp, wanted: string, field: string): string {
  if (!pattern.test(text)) throw new FormatError(field, `${quote(text)}, wanted ${wanted}`);
  return text;
}
