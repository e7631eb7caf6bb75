import { Agent } from 'node:https';
import WebSocket from 'ws';
import { LIVE_PATH, MAX_LIVE_FRAME_BYTES } from '#contract/live-frames.ts';
import type { TlsFiles } from './pki.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** The way to the recorder's live views. */
export interface LiveTransport {
  /** Begins to connect. @param user id of the person who watches */
  watch(session: string, user: string): WebSocket;
}

/** @param url of the recorder's HTTPS face, asked for each time */
export function connectLiveTransport(url: () => URL, tls: TlsFiles): LiveTransport {
  return {
    watch(session, user) {
      const address = new URL(`${LIVE_PATH}${session}/${user}`, url());
      address.protocol = 'wss:';
      return new WebSocket(address, {
        agent: new Agent({ ...tls, servername: 'session-recorder', minVersion: 'TLSv1.3' }),
        maxPayload: MAX_LIVE_FRAME_BYTES,
        perMessageDeflate: false,
        handshakeTimeout: CONNECT_TIMEOUT_MS,
      });
    },
  };
}
