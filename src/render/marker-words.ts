/** What the video says where the recording was interrupted. */
import type { ConfigBody, MarkerBody } from '#evidence/record-body.ts';
import { clock, span } from './session-time.ts';

/** Follows the markers and configs of a screen. Times are µs of the session's clock. */
export class MarkerWords {
  #configs = 0;
  #connection: string | undefined;
  #disconnectedAt: number | null = null;
  #pausedAt: number | null = null;
  /** Why the next config comes has been told, or shows by itself. */
  #configExplained = false;

  /** @returns what is to be told; null for what shows by itself, or says nothing about what was seen */
  marker(marker: MarkerBody, time: number): string | null {
    const { kind, detail } = marker;
    if (kind === 'disconnected') this.#disconnectedAt ??= time;
    if (kind === 'resize') this.#configExplained = true;
    if (kind === 'reconnected') return this.#connectedAgain(time, detail);
    if (kind === 'pause') this.#pausedAt = time;
    if (kind === 'resume') return this.#wentOn(time, detail);
    const words = WORDS[kind]?.(marker);
    return words === undefined ? null : caption(time, words, detail);
  }

  /** Config records stand where the share with a client begins; those of one connection to the server tell nothing new. */
  config(time: number, { connection }: Pick<ConfigBody, 'connection'>): string | null {
    const isSame = connection !== undefined && connection === this.#connection;
    const isExplained = this.#configExplained || this.#configs === 0 || isSame;
    this.#configs++;
    this.#connection = connection;
    this.#configExplained = false;
    return isExplained ? null : this.#connectedAgain(time);
  }

  #wentOn(time: number, detail?: string): string {
    const since = this.#pausedAt;
    this.#pausedAt = null;
    const how = since === null ? '' : `, ${span(time - since)} after it was paused`;
    return caption(time, `Recording and session went on${how}`, detail);
  }

  #connectedAgain(time: number, detail?: string): string {
    const since = this.#disconnectedAt;
    this.#disconnectedAt = null;
    this.#configExplained = true;
    const lost = since === null ? '' : `, ${span(time - since)} after the connection was lost`;
    return caption(time, `The person connected again${lost}`, detail);
  }
}

/** What a gap says to be missing, and from when to when. */
export function gapWords({ missing, from, to }: Pick<MarkerBody, 'missing' | 'from' | 'to'>): string {
  const when = from === undefined || to === undefined ? '' : ` between ${clock(from)} and ${clock(to)}`;
  if (missing === 1) return `1 record${when} is missing`;
  return `${missing ?? 'Some'} records${when} are missing`;
}

function caption(time: number, words: string, detail?: string): string {
  return `${clock(time)}  ${words}${detail ? `: ${detail}` : ''}`;
}

const WORDS: Partial<Record<MarkerBody['kind'], (marker: MarkerBody) => string>> = {
  pause: () => 'Recording and session were paused',
  gap: gapWords,
  'recorder-restarted': () => 'The recorder was started again',
  undecodable: () => 'Something was shown that could not be decoded',
};
