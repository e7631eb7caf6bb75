import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '#services/rdp-server-manager/desktop/options.ts';
import type { Display } from './display.ts';
import { PATIENCE_MS } from './eventually.ts';
import { asFreeRdpShows, type FreeRdp } from './freerdp.ts';
import { assertSamePixels, difference, type Picture, quantise565 } from './pixels.ts';

/** A moment at which nothing moved: when, and what an RDP client must have shown then. */
export interface Moment {
  name: string;
  /** ms since 1970. */
  time: number;
  expected: Picture;
}

/** Where pictures go that are not as they should be. */
export const PICTURES = process.env.TEST_PICTURES ?? join(tmpdir(), 'lucid-e2e-pictures');

/** What a session's RDP carries of a desktop's root window. @param bitsPerPixel of the session */
export function asSent(root: Picture, backend: Backend, bitsPerPixel: number): Picture {
  return bitsPerPixel === 16 ? quantise565(root, backend === 'vnc' ? 'round' : 'cut') : root;
}

/**
 * Waits for a moment at which the desktop is at rest and the person sees all of it.
 *
 * @param name for messages and files
 * @throws Error with the difference when what the client shows does not become the desktop's own picture
 */
export async function quietMoment(
  name: string,
  client: FreeRdp,
  desktop: Display,
  backend: Backend,
  bitsPerPixel: number,
): Promise<Moment> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const expected = asSent(await desktop.quietScreenshot(), backend, bitsPerPixel);
    const shown = bitsPerPixel === 16 ? asFreeRdpShows(expected) : expected;
    const time = Date.now();
    const seen = await client.screenshot(expected.width, expected.height);
    const again = asSent(await desktop.screenshot(), backend, bitsPerPixel);
    const settled = difference(again, expected) === null;
    if (settled && difference(seen, shown) === null) return { name, time, expected };
    if (settled && Date.now() > deadline) assertSamePixels(seen, shown, join(PICTURES, `${name}-client`));
    await sleep(100);
  }
}

/** By how much a codec that is lossy may change a channel: less than what is not drawn yet differs. */
const LOSS = 100;

/**
 * The same for a session whose pictures are lossy: the desktop is at rest, and the person sees all of it as well as the
 * codec lets them. What is expected of a recording is what they see.
 */
export async function quietLossyMoment(name: string, client: FreeRdp, desktop: Display): Promise<Moment> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const root = await desktop.quietScreenshot();
    const before = await client.screenshot(root.width, root.height);
    const time = Date.now();
    const expected = await client.screenshot(root.width, root.height);
    const isAtRest = !difference(await desktop.screenshot(), root) && !difference(before, expected);
    if (isAtRest && !difference(expected, root, LOSS)) return { name, time, expected };
    if (isAtRest && Date.now() > deadline) assertSamePixels(expected, root, join(PICTURES, `${name}-client`), LOSS);
    await sleep(100);
  }
}
