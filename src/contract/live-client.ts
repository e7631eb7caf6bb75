/** Watches a session: the viewer's end of a live view, wherever there is a WebSocket. */
import { ServiceError } from './errors.ts';
import { liveErrorOf } from './live-close.ts';
import { decodeLiveFrame, LIVE_NEXT, LIVE_TICKET_PREFIX, type LiveEvent, type LiveFrame } from './live-frames.ts';
import { LivePicture } from './live-picture.ts';
import type { WatchTicket } from './session-api.ts';

/** What is used of the platform's WebSocket: ECMAScript's own library does not declare it. */
interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

const platform = globalThis as unknown as { WebSocket: new (url: string, protocols: string[]) => Socket };

/** What is used of an AbortSignal. */
interface Signal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
}

export type LiveUpdate =
  | { readonly kind: 'event'; readonly event: LiveEvent }
  /** The picture has changed by `frame`; it is the same object each time. */
  | { readonly kind: 'picture'; readonly picture: LivePicture; readonly frame: LiveFrame };

/**
 * Watches a session until it is over, or the caller leaves the loop. The next frame is asked for when the caller comes back
 * for it: what changes meanwhile comes as one.
 *
 * @param url where the API is
 * @param ticket from the operation `watchSession`, good for one view that begins within seconds
 * @param signal ends the view
 * @throws ServiceError why there is nothing to watch any more; LiveFrameError
 */
export async function* watchLive(
  url: string,
  ticket: WatchTicket,
  signal?: Signal,
): AsyncGenerator<LiveUpdate, void, undefined> {
  const address = url.replace(/^http/, 'ws').replace(/\/+$/, '') + ticket.path;
  const socket = new platform.WebSocket(address, [ticket.protocol, LIVE_TICKET_PREFIX + ticket.ticket]);
  socket.binaryType = 'arraybuffer';
  /** One frame at most, since only one is asked for, and few events. */
  const messages: unknown[] = [];
  let end: { error: ServiceError | null } | null = null;
  let wake = () => {};
  socket.onopen = () => socket.send(LIVE_NEXT);
  socket.onmessage = ({ data }) => {
    messages.push(data);
    wake();
  };
  socket.onclose = ({ code, reason }) => {
    end = { error: signal?.aborted ? null : liveErrorOf(code, reason) };
    wake();
  };
  socket.onerror = () => {};
  signal?.addEventListener('abort', () => socket.close());
  const picture = new LivePicture();
  try {
    for (;;) {
      while (messages.length > 0) {
        const message = messages.shift();
        if (typeof message === 'string') {
          yield { kind: 'event', event: readEvent(message) };
          continue;
        }
        const frame = decodeLiveFrame(new Uint8Array(message as ArrayBuffer));
        await picture.apply(frame);
        yield { kind: 'picture', picture, frame };
        if (end === null) socket.send(LIVE_NEXT);
      }
      const { error } = (end as { error: ServiceError | null } | null) ?? { error: undefined };
      if (error) throw error;
      if (error === null) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    socket.close();
  }
}

function readEvent(message: string): LiveEvent {
  try {
    return JSON.parse(message);
  } catch {
    throw new ServiceError('upstream_failed', 'the live view sent an event that is not JSON');
  }
}
