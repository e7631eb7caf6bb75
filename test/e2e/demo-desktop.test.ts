/** Our own RDP server against FreeRDP: what FreeRDP shows is what our encoders were given, in every pixel. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DemoDesktop } from '#demo/demo-desktop.ts';
import { Scene } from '#demo/scene.ts';
import { asFreeRdpShows, FreeRdp } from '../support/freerdp.ts';
import { needs } from '../support/needs.ts';
import { assertSamePixels, type Picture, quantise565 } from '../support/pixels.ts';

const skip = needs('xfreerdp', 'Xvfb', 'xdotool', 'xwd');
const noon = new Date(2026, 0, 2, 12, 34, 56);
const width = 1024;
const height = 640;

/** The desktop as it was painted. */
function painted(desktop: DemoDesktop): Picture {
  const scene = new Scene(width, height);
  scene.paint(desktop.model.state, noon);
  return { width, height, pixels: scene.screen.pixels };
}

describe('FreeRDP at our own desktop', { skip }, () => {
  for (const bpp of [16, 24, 32])
    for (const path of ['+fast-path', '-fast-path'])
      test(`${bpp} bpp, ${path}`, async () => {
        const desktop = await DemoDesktop.start({ now: () => noon, tickMs: 0 });
        const args = [`/bpp:${bpp}`, path];
        const client = await FreeRdp.start({ port: desktop.port, width, height, user: 'a', password: 'b', args });
        try {
          await client.connected();
          await client.display.quietScreenshot();
          await client.click(200, 300);
          await client.type('Typed at FreeRDP: 1 + 2 = 3!');
          const shown = await client.display.quietScreenshot();
          assert.equal(desktop.model.state.text, 'Typed at FreeRDP: 1 + 2 = 3!');
          const expected = bpp === 16 ? asFreeRdpShows(quantise565(painted(desktop))) : painted(desktop);
          assertSamePixels(shown, expected, join(tmpdir(), `lucid-demo-desktop-${bpp}${path}`));
          assert.equal(desktop.lastError, null);
        } finally {
          await client.close();
          await desktop.close();
        }
      });
});
