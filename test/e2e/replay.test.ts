/**
 * The main promise, with nothing of ours at either end: FreeRDP works on an xrdp desktop through the gateway, and what the
 * sealed recording replays is the desktop's own screen in every pixel, pointer aside; or, with a lossy codec, what FreeRDP
 * showed. Seeking gives the same.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Backend } from '#services/rdp-server-manager/desktop/options.ts';
import { eventually } from '../support/eventually.ts';
import { FreeRdp } from '../support/freerdp.ts';
import { TestLucid } from '../support/lucid.ts';
import { needs } from '../support/needs.ts';
import { type Moment, PICTURES, quietLossyMoment, quietMoment } from '../support/person.ts';
import { assertSamePixels } from '../support/pixels.ts';
import { Replay } from '../support/replay.ts';

const skip = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xfreerdp', 'Xvfb', 'xdotool', 'xwd', 'xwininfo');
const WIDTH = 1024;
const HEIGHT = 768;
/** Options of FreeRDP, which asks for bulk compression unless it is told not to, and the profile that they lead to. */
const WAYS = {
  'fast-path': { args: ['-compression'], profile: 'bitmaps' },
  'slow-path-compressed': { args: ['+compression', '-fast-path'], profile: 'bitmaps' },
  orders: { args: ['+bitmap-cache', '-compression'], profile: 'orders' },
  'orders-compressed': { args: ['+bitmap-cache', '+compression'], profile: 'orders' },
  remotefx: { args: ['/rfx', '+compression'], profile: 'remotefx' },
};
/** RemoteFX rounds; decoders may differ by so much. */
const ROUNDING = 2;

describe('FreeRDP on xrdp through the gateway', { skip, concurrency: false }, () => {
  let lucid: TestLucid;
  before(async () => {
    // The first run ends early, and with it comes a keyframe to seek to
    lucid = await TestLucid.start({ LUCID_CHUNK_SECONDS: '1' });
  });
  after(() => lucid.close());

  for (const backend of ['vnc', 'xorg'] satisfies Backend[]) {
    for (const bitsPerPixel of [16, 24, 32]) {
      for (const [way, { args, profile }] of Object.entries(WAYS)) {
        // With RemoteFX FreeRDP asks for 32 bits; where xrdp sends none, bitmaps come all the same.
        if (profile === 'remotefx' && bitsPerPixel < 32) continue;
        const isLossy = profile === 'remotefx' && backend === 'xorg';
        const name = `${backend}-${bitsPerPixel}-${way}`;
        test(name, async () => {
          const server = await lucid.createDesktop(name, { backend });
          const { session, ticket_id, secret } = await lucid.createSession(name, { input: true });
          const client = await FreeRdp.start({
            port: lucid.running.rdpPort,
            width: WIDTH,
            height: HEIGHT,
            user: ticket_id,
            password: secret,
            args: [`/bpp:${bitsPerPixel}`, ...args],
          });
          const desktop = lucid.displayOf(server.id);
          const moments: Moment[] = [];
          const moment = async (what: string) => {
            const seen = `${name}-${what}`;
            moments.push(
              isLossy
                ? await quietLossyMoment(seen, client, desktop)
                : await quietMoment(seen, client, desktop, backend, bitsPerPixel),
            );
          };
          try {
            await client.connected();
            const terminal = await desktop.findWindow('xterm');
            await moment('connected');
            await client.click(terminal.left + 200, terminal.top + 100);
            await client.type('echo typed text');
            await client.key('Return');
            await moment('typed');
            await client.type('seq 1 400');
            await client.key('Return');
            await moment('scrolled');
            const hasKeyframe = async () => (await lucid.api.getRecording({ params: session })).quality.receipts > 0;
            await eventually('a keyframe', hasKeyframe, 200);
            await client.drag([terminal.left + 150, terminal.top - 10], [terminal.left - 60, terminal.top + 220]);
            await moment('moved');
            assert.notDeepEqual(await desktop.findWindow('xterm'), terminal, 'the window did not move');
          } finally {
            await client.close();
            await desktop.close();
          }

          const bundle = await lucid.bundleOf(session.id);
          const replay = new Replay(bundle, lucid.identityFile);
          const { pictures, undecodableBytes } = replay.screensAt(moments.map(({ time }) => time));
          assert.equal(undecodableBytes, 0);
          assert.equal(replay.config.profile, profile, replay.config.profileReason);
          assert.ok(replay.hasKeyframeBefore(moments.at(-1)!.time));
          assert.equal(replay.config.bulkCompression, args.includes('+compression') ? 'mppc-64k' : undefined);
          for (const [i, { expected, name }] of moments.entries()) {
            assertSamePixels(pictures[i], expected, join(PICTURES, `${name}-replayed`), isLossy ? ROUNDING : 0);
            assertSamePixels(replay.soughtAt(moments[i].time), pictures[i], join(PICTURES, `${name}-sought`));
          }
          await lucid.api.stopServer({ params: { id: server.id } });
          await lucid.api.deleteServer({ params: { id: server.id } });
        });
      }
    }
  }
});
