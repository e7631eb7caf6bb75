/** A refused admission in words for the person who connects. */
import { ServiceError } from '#contract/errors.ts';
import { DecodeError } from '#rdp/bytes.ts';
import { SequenceError } from '#rdp/sequence/sequence-error.ts';
import { LegEndedError } from './client-leg.ts';
import type { Notice } from './notice-picture.ts';
import { ServerLegError } from './server-leg.ts';
import { DeadlineError } from './with-deadline.ts';

export const NO_TICKET: Notice = {
  title: 'This gateway admits holders of a ticket',
  text: 'Open the .rdp file that came with your session, or give the ticket as user name and its secret as password.',
};

/** @param error what admission, recording or the way to the server threw */
export function refusalNotice(error: unknown): Notice {
  if (isOfServer(error)) return { title: 'The server cannot be used', text: sentence(error.message) };
  if (!(error instanceof ServiceError)) return { title: 'The session cannot be opened', text: UNKNOWN_CAUSE };
  switch (error.code) {
    case 'ticket_refused':
      return { title: 'The ticket was not accepted', text: sentence(error.message) };
    case 'conflict':
      return { title: 'The session is in use', text: sentence(error.message) };
    case 'limit_reached':
      return { title: 'A limit is reached', text: sentence(error.message) };
    case 'storage_full':
      return { title: 'There is no room for a recording', text: sentence(error.message) };
    case 'unavailable':
      return { title: 'The server is not available', text: sentence(error.message) };
    case 'internal':
      return { title: 'The session cannot be opened', text: UNKNOWN_CAUSE };
    default:
      return { title: 'The session cannot be opened', text: sentence(error.message) };
  }
}

/** Whether an error is of a kind that happens: anything else is a fault of this program, and its stack is wanted. */
export function isExpected(error: unknown): boolean {
  return isOfServer(error) || error instanceof ServiceError;
}

/** Errors on the way to a server: their words are fit to be shown. */
function isOfServer(error: unknown): error is Error {
  const kinds = [ServerLegError, SequenceError, LegEndedError, DeadlineError, DecodeError];
  return kinds.some((kind) => error instanceof kind);
}

const UNKNOWN_CAUSE = 'Something failed on our side. Try again; if it stays so, tell your administrator.';

/** Error messages are written for the middle of a line. */
export function sentence(words: string): string {
  const capital = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
