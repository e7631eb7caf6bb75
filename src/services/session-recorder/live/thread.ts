/** A live view's thread: decodes the screen of one session and makes the frames of those who watch it. */
import { parentPort, workerData } from 'node:worker_threads';
import { readRecords } from '#evidence/record.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { LiveScreen } from './live-screen.ts';
import type { FromLiveThread, LiveThreadData, ToLiveThread } from './messages.ts';
import { openState } from './open-state.ts';

const { intervalMs } = workerData as LiveThreadData;
const screen = new LiveScreen((event) => post({ kind: 'event', event }));
/** Viewers that want a frame. */
const wanting = new Set<number>();
/** When each viewer was given its last frame. */
const servedAt = new Map<number, number>();
let timer: NodeJS.Timeout | null = null;
let hasEnded = false;

parentPort!.on('message', (message: ToLiveThread) => {
  switch (message.kind) {
    case 'begin':
      begin(message.state);
      break;
    case 'records':
      play(message.bytes, message.beforeSeq ?? Number.POSITIVE_INFINITY);
      break;
    case 'loaded':
      screen.show(message.seq, message.time);
      break;
    case 'join':
      screen.join(message.viewer, message.fromSeq);
      break;
    case 'leave':
      screen.leave(message.viewer);
      wanting.delete(message.viewer);
      servedAt.delete(message.viewer);
      break;
    case 'next':
      wanting.add(message.viewer);
      break;
    case 'end':
      hasEnded = true;
      break;
  }
  serve();
});

function begin(state: Uint8Array): void {
  const { decoder, history } = openState(state);
  screen.begin(decoder ?? new ScreenDecoder(), history, decoder === null || state.length === 0);
}

function play(bytes: Uint8Array, beforeSeq: number): void {
  for (const { record } of readRecords(bytes)) if (record.seq < beforeSeq) screen.apply(record);
  post({ kind: 'played', bytes: bytes.length });
}

/** Gives a frame to every viewer that wants one, is due, and for whom there is something new. */
function serve(): void {
  const now = performance.now();
  let wait = Number.POSITIVE_INFINITY;
  for (const viewer of wanting) {
    const due = (servedAt.get(viewer) ?? Number.NEGATIVE_INFINITY) + intervalMs;
    if (due > now) {
      wait = Math.min(wait, due - now);
      continue;
    }
    const bytes = screen.take(viewer);
    if (bytes === null && !hasEnded) continue;
    wanting.delete(viewer);
    if (bytes === null) {
      post({ kind: 'finished', viewer });
      continue;
    }
    servedAt.set(viewer, now);
    post({ kind: 'frame', viewer, bytes }, [bytes.buffer]);
  }
  if (timer !== null || wait === Number.POSITIVE_INFINITY) return;
  timer = setTimeout(() => {
    timer = null;
    serve();
  }, wait);
}

function post(message: FromLiveThread, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
