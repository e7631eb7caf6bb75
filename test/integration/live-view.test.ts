/** Live views of the recorder: what a viewer is shown equals what the recording replays to, in every pixel. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewRecord, RecordWriter } from '#contract/record-transport.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { RecordType } from '#evidence/record.ts';
import { readMarkerBody, writeJsonBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { newId } from '#platform/id.ts';
import type { LiveTransport } from '#platform/live-transport.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { HEIGHT, serverPdu, WIDTH } from '../support/recorded-session.ts';
import { type RecordingServices, startRecordingServices } from '../support/recording-services.ts';
import { Viewer } from '../support/viewer.ts';

const auditor = generateIdentity();
/** A run this small is cut every few hundred pictures. */
const SMALL_RUNS = { LUCID_CHUNK_BYTES: String(64 * 1024), LUCID_LIVE_FRAMES_PER_SECOND: '30' };

describe('live views', () => {
  const root = mkdtempSync(join(tmpdir(), 'lucid-live-'));
  after(() => rmSync(root, { recursive: true }));

  async function withServices(
    settings: Record<string, string>,
    body: (services: RecordingServices, live: LiveTransport) => Promise<void>,
  ) {
    const services = await startRecordingServices(mkdtempSync(join(root, 'data-')), auditor, settings);
    try {
      await body(services, await services.live('session-api'));
    } finally {
      await services.stop();
    }
  }

  /** A session in which a desktop is shown; pictures are numbered. */
  class Shown {
    readonly services: RecordingServices;
    readonly id: string;
    readonly writer: RecordWriter;
    #pictures = 0;

    private constructor(services: RecordingServices, id: string, writer: RecordWriter) {
      this.services = services;
      this.id = id;
      this.writer = writer;
    }

    static async begin(services: RecordingServices): Promise<Shown> {
      const id = await services.open();
      const writer = await services.records.attach(id, newId(), { acknowledged: () => {}, failed: () => {} });
      const shown = new Shown(services, id, writer);
      shown.append(RecordType.config, configOf(id));
      return shown;
    }

    append(type: NewRecord['type'], body: Uint8Array): void {
      this.writer.append({ type, flags: 0, timeUs: this.writer.now(), body });
    }

    /** Shows so many pictures, and has them made durable. */
    async show(pictures: number): Promise<void> {
      for (let i = 0; i < pictures; i++) {
        this.append(RecordType.serverPdu, serverPdu(this.#pictures++));
        // A client that reads this slowly is not cut off.
        if (i % 500 === 499) await this.writer.flush();
      }
      await this.writer.flush();
    }

    async lastSeq(): Promise<number> {
      return (await this.services.recorder.getRecording({ params: { id: this.id } })).durable_seq;
    }

    /** Has a viewer leave, and waits for the record that says so. */
    async left(viewer: Viewer): Promise<void> {
      const before = await this.lastSeq();
      await viewer.leave();
      while ((await this.lastSeq()) === before) await sleep(5);
    }

    async close(): Promise<void> {
      await this.services.recorder.closeRecording({ params: { id: this.id }, body: { reason: 'left' } });
    }

    /** What the stored recording replays to after each of these records, and its markers. */
    async replay(seqs: readonly number[]) {
      const file = join(mkdtempSync(join(root, 'bundle-')), 'bundle.tar');
      await writeFile(file, await this.services.storage.getBundle({ params: { id: this.id }, query: {} }));
      const screen = new ScreenDecoder();
      const pixels = new Map<number, Uint8Array>();
      const markers = [];
      for (const { record } of new BundleReader(openBundleSource(file), [auditor]).records(['screen'])) {
        applyScreenRecord(screen, record);
        if (seqs.includes(record.seq)) pixels.set(record.seq, screen.pixels.slice());
        if (record.type === RecordType.marker) markers.push(readMarkerBody(record.body));
      }
      return { pixels, markers };
    }
  }

  test('a late joiner is shown the whole screen, then what changes; the recording says who watched', async () => {
    await withServices(SMALL_RUNS, async (services, live) => {
      const shown = await Shown.begin(services);
      await shown.show(1500);
      const user = newId();
      const viewer = new Viewer(live.watch(shown.id, user));
      const seen = new Map<number, Uint8Array>();
      for (let i = 0; i < 4; i++) {
        await viewer.until(await shown.lastSeq());
        seen.set(viewer.picture.seq, viewer.picture.pixels.slice());
        await shown.show(400);
      }
      assert.deepEqual(viewer.events[0], {
        type: 'joined',
        session_id: shown.id,
        connected: true,
        paused: false,
        opened_at: (await services.recorder.getRecording({ params: { id: shown.id } })).opened_at,
      });
      await shown.left(viewer);
      const second = new Viewer(live.watch(shown.id, user));
      await second.until(await shown.lastSeq());
      seen.set(second.picture.seq, second.picture.pixels.slice());
      await shown.left(second);
      await shown.close();
      const { pixels, markers } = await shown.replay([...seen.keys()]);
      assert.deepEqual(pixels, seen);
      const watched = markers.filter(({ kind }) => kind.startsWith('observer-'));
      const pair = [
        { kind: 'observer-joined', detail: user },
        { kind: 'observer-left', detail: user },
      ];
      assert.deepEqual(watched, [...pair, ...pair]);
    });
  });

  test('a viewer that does not ask is shown later what has become of it all, in one frame', async () => {
    await withServices(SMALL_RUNS, async (services, live) => {
      const shown = await Shown.begin(services);
      await shown.show(10);
      const [slow, quick] = [new Viewer(live.watch(shown.id, newId())), new Viewer(live.watch(shown.id, newId()))];
      await slow.until(0);
      await shown.show(3000);
      await quick.until(await shown.lastSeq());
      const frame = await slow.next();
      assert.deepEqual([frame?.isExact, frame?.isWhole], [true, false]);
      assert.ok(frame!.rectangles.length <= 4, 'two tiles by two');
      assert.deepEqual([slow.picture.seq, slow.picture.pixels], [quick.picture.seq, quick.picture.pixels]);
      await Promise.all([slow.leave(), quick.leave()]);
    });
  });

  test('when the session ends its viewers are shown the last picture, and told', async () => {
    await withServices(SMALL_RUNS, async (services, live) => {
      const shown = await Shown.begin(services);
      await shown.show(100);
      const viewer = new Viewer(live.watch(shown.id, newId()));
      await viewer.until(0);
      await shown.show(300);
      await shown.close();
      while ((await viewer.next()) !== null);
      assert.deepEqual(await viewer.ended, { code: 1000, reason: '' });
      assert.deepEqual(viewer.events.at(-1), { ...viewer.events.at(-1), type: 'marker', kind: 'end', detail: 'left' });
      const { pixels } = await shown.replay([viewer.picture.seq]);
      assert.deepEqual(pixels.get(viewer.picture.seq), viewer.picture.pixels);
    });
  });

  test('a resize begins anew', async () => {
    await withServices(SMALL_RUNS, async (services, live) => {
      const shown = await Shown.begin(services);
      await shown.show(10);
      const viewer = new Viewer(live.watch(shown.id, newId()));
      await viewer.until(0);
      shown.append(RecordType.config, configOf(shown.id, WIDTH + 16, HEIGHT + 8));
      await shown.show(10);
      await viewer.until(await shown.lastSeq());
      assert.deepEqual([viewer.picture.width, viewer.picture.height], [WIDTH + 16, HEIGHT + 8]);
      await viewer.leave();
      await shown.close();
      const { pixels } = await shown.replay([viewer.picture.seq]);
      assert.deepEqual(pixels.get(viewer.picture.seq), viewer.picture.pixels);
    });
  });

  test('who may not watch, and what cannot be watched, is refused with the reason', async () => {
    await withServices({ LUCID_LIVE_SESSIONS: '1', LUCID_LIVE_VIEWERS: '2' }, async (services, live) => {
      const refusal = async (session: string) => new Viewer(live.watch(session, newId())).ended;
      const gateway = await services.live('rdp-xrdp');
      const [refused] = await Promise.allSettled([new Viewer(gateway.watch(newId(), newId())).next()]);
      assert.match(String((refused as PromiseRejectedResult).reason), /403/);

      const unknown = newId();
      const noSession = `not_found: there is no recording of session ${unknown}`;
      assert.deepEqual(await refusal(unknown), { code: 4404, reason: noSession });
      const quiet = await services.open();
      const nobody = 'wrong_state: nobody has connected to the session yet';
      assert.deepEqual(await refusal(quiet), { code: 4409, reason: nobody });

      const [first, second] = [await Shown.begin(services), await Shown.begin(services)];
      const viewers = [new Viewer(live.watch(first.id, newId())), new Viewer(live.watch(first.id, newId()))];
      for (const viewer of viewers) await viewer.until(0);
      assert.equal((await refusal(first.id)).code, 4429);
      assert.equal((await refusal(second.id)).code, 4429);
      viewers[0].send('another');
      assert.deepEqual(await viewers[0].ended, {
        code: 4400,
        reason: 'invalid_request: a viewer sends next and nothing else',
      });
      await viewers[1].leave();
      await first.close();
      assert.deepEqual(await refusal(first.id), {
        code: 4409,
        reason: `wrong_state: the recording of session ${first.id} is closed`,
      });
    });
  });

  test('live views can be turned off', async () => {
    await withServices({ LUCID_LIVE_SESSIONS: '0' }, async (services, live) => {
      const shown = await Shown.begin(services);
      const { code, reason } = await new Viewer(live.watch(shown.id, newId())).ended;
      assert.equal(code, 4403);
      assert.match(reason, /^forbidden: live views are turned off/);
    });
  });

  test('when the recorder stops its viewers are told; what an earlier run of it left cannot be watched', async () => {
    const data = mkdtempSync(join(root, 'data-'));
    let services = await startRecordingServices(data, auditor, SMALL_RUNS);
    const shown = await Shown.begin(services);
    await shown.show(10);
    const viewer = new Viewer((await services.live('session-api')).watch(shown.id, newId()));
    await viewer.until(0);
    await services.stop();
    assert.equal((await viewer.ended).code, 1001);
    services = await startRecordingServices(data, auditor, SMALL_RUNS);
    try {
      const again = await new Viewer((await services.live('session-api')).watch(shown.id, newId())).ended;
      assert.equal(again.code, 4409);
    } finally {
      await services.stop();
    }
  });
});

function configOf(session: string, width = WIDTH, height = HEIGHT): Uint8Array {
  return writeJsonBody({
    ...{ version: 1, session, startedAt: '2026-01-31T09:30:00.000Z', width, height, depth: 32 },
    ...{ codecs: {}, profile: 'bitmap-only', versions: {} },
  });
}
