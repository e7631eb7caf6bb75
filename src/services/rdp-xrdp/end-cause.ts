/** Why a session's connection is over. */
import { ErrorInfo } from '#rdp/pdu/error-info.ts';
import type { LegEnd } from './leg.ts';
import type { Notice } from './notice-picture.ts';
import { refusalNotice, sentence } from './refusal.ts';

export interface EndCause {
  /** For logs and for the session's history. */
  reason: string;
  /** Whether the same person may come back to the same session. */
  resumable: boolean;
  /** Shown to the person, where the client is still there. */
  notice: Notice | null;
  /** A value of ErrorInfo. */
  errorInfo: number;
  /** Whether somebody should look into it. */
  isFault: boolean;
}

export const CLIENT_LEFT: EndCause = {
  reason: 'the client left',
  resumable: false,
  notice: null,
  errorInfo: ErrorInfo.none,
  isFault: false,
};

/** The client's line is over without a word. Malformed bytes are no dropped line: they do not come back. */
export function clientGone({ kind, detail }: LegEnd): EndCause {
  const isFault = kind === 'malformed';
  const reason = isFault ? `the client sent what is not RDP: ${detail}` : `the client's line dropped: ${detail}`;
  return { ...CLIENT_LEFT, reason, resumable: !isFault, isFault };
}

/** @param said what the server gave as reason before, or null */
export function serverLeft(said: string | null): EndCause {
  const why = said === null ? '' : `: ${said}`;
  return { ...CLIENT_LEFT, reason: `the server ended the session${why}` };
}

export function serverGone({ kind, detail }: LegEnd, said: string | null): EndCause {
  if (kind === 'closed' && said !== null) return serverLeft(said);
  const what = kind === 'malformed' ? 'sent what is not RDP' : 'dropped the line';
  const title = 'The connection to the server is lost';
  return { ...ended(title, `the server ${what}: ${detail}`), isFault: true };
}

export function recordingFailed(reason: string): EndCause {
  const text = `${sentence(reason)} Nothing may be shown that is not recorded, so the session ends here.`;
  const notice = { title: 'The session cannot be recorded any more', text };
  return { ...CLIENT_LEFT, reason: `recording failed: ${reason}`, notice, isFault: true, errorInfo: ADMINISTRATIVE };
}

/** The gateway stops: the person may come back once it runs again. */
export const GATEWAY_STOPS: EndCause = {
  reason: 'the gateway stops',
  resumable: true,
  notice: { title: 'The gateway is being restarted', text: 'Connect again in a moment: your session goes on.' },
  errorInfo: ErrorInfo.none,
  isFault: false,
};

/** The session is ended on purpose: the person reads why. */
export function ended(title: string, reason: string, errorInfo: number = ADMINISTRATIVE): EndCause {
  return { reason, resumable: false, notice: { title, text: sentence(reason) }, errorInfo, isFault: false };
}

/** Something failed before or while the session ran. @param error whatever was thrown */
export function failure(error: unknown): EndCause {
  const reason = error instanceof Error ? error.message : String(error);
  const notice = refusalNotice(error);
  return { reason, resumable: false, notice, errorInfo: ErrorInfo.serverDeniedConnection, isFault: true };
}

const ADMINISTRATIVE = ErrorInfo.disconnectedByAdministrator;
