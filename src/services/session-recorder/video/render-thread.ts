/** A thread that makes one video: decoding must not hold up records. Its data is a `RenderOrder`; it answers with `ThreadNews`. */
import { parentPort, workerData } from 'node:worker_threads';
import { FormatError } from '#evidence/format-error.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { type RenderProgress, type RenderResult, render } from '#render/render.ts';
import { RenderError } from '#render/render-error.ts';
import type { RenderSettings } from '#render/settings.ts';

export interface RenderOrder {
  /** A tar archive. */
  readonly bundle: string;
  /** Text of the render recipient's identity file. */
  readonly identity: string;
  readonly output: string;
  readonly settings: RenderSettings;
  readonly allowIncomplete: boolean;
  readonly ffmpeg: string;
}

export type ThreadNews =
  | { readonly kind: 'progress'; readonly progress: RenderProgress }
  | { readonly kind: 'note'; readonly words: string }
  | { readonly kind: 'done'; readonly result: RenderResult }
  /** `words` is null for faults of this program, which the log has. */
  | { readonly kind: 'failed'; readonly words: string | null; readonly error: unknown };

/** Progress is told no more often. */
const PROGRESS_MS = 500;

const order = workerData as RenderOrder;
const stop = new AbortController();
let toldAt = 0;

parentPort!.once('message', () => stop.abort(new RenderError('cancelled')));

function tell(news: ThreadNews): void {
  parentPort!.postMessage(news);
}

function onProgress(progress: RenderProgress): void {
  if (performance.now() - toldAt < PROGRESS_MS) return;
  toldAt = performance.now();
  tell({ kind: 'progress', progress });
}

try {
  const reader = new BundleReader(openBundleSource(order.bundle), parseIdentityFile(order.identity));
  const { output, settings, allowIncomplete, ffmpeg } = order;
  const how = { output, settings, allowIncomplete, ffmpeg, signal: stop.signal, onProgress };
  const result = await render(reader, { ...how, onNote: (words) => tell({ kind: 'note', words }) });
  tell({ kind: 'done', result });
} catch (error) {
  const isTold = error instanceof RenderError || error instanceof FormatError;
  tell({ kind: 'failed', words: isTold ? error.message : null, error });
}
parentPort!.close();
