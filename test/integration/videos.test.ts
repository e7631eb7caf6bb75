/** Videos as jobs of the recorder, from records to the file, with the real recorder, processor and storage. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { formatIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { RecordType } from '#evidence/record.ts';
import { writeJsonBody } from '#evidence/record-body.ts';
import { newId } from '#platform/id.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/needs.ts';
import { serverPdu } from '../support/recorded-session.ts';
import { type RecordingServices, startRecordingServices } from '../support/recording-services.ts';
import { probeVideo } from '../support/video.ts';

describe('videos', { skip: needs('ffmpeg', 'ffprobe') }, () => {
  const root = mkdtempSync(join(tmpdir(), 'lucid-videos-'));
  after(() => rmSync(root, { recursive: true, force: true }));

  async function withServices(settings: Record<string, string>, body: (services: RecordingServices) => Promise<void>) {
    const services = await startRecordingServices(mkdtempSync(join(root, 'data-')), generateIdentity(), settings);
    try {
      await body(services);
    } finally {
      await services.stop();
    }
  }

  /** A session of some pictures, recorded and closed. @returns its id */
  async function record({ open, records, recorder }: RecordingServices): Promise<string> {
    const session = await open();
    const writer = await records.attach(session, newId(), { acknowledged: () => {}, failed: () => {} });
    const append = (type: number, body: Uint8Array) => writer.append({ type, flags: 0, timeUs: writer.now(), body });
    const config = {
      version: 1,
      session,
      startedAt: '2026-01-31T09:30:00.000Z',
      width: 64,
      height: 48,
      depth: 32,
    } as const;
    append(RecordType.config, writeJsonBody({ ...config, codecs: {}, profile: 'bitmaps', versions: {} }));
    for (let i = 0; i < 30; i++) append(RecordType.serverPdu, serverPdu(i));
    await writer.close();
    await recorder.closeRecording({ params: { id: session }, body: { reason: 'left' } });
    return session;
  }

  async function finished({ videos }: RecordingServices, id: string) {
    return eventually('the video', async () => {
      const video = await videos.getVideo({ params: { id } });
      return video.finished_at !== null && video;
    });
  }

  test('a render recipient is set: the video is made, told, handed out and removed', async () => {
    const file = join(root, 'render.txt');
    writeFileSync(file, `${formatIdentity(generateIdentity())}\n`);
    const settings = {
      LUCID_RENDER_IDENTITY_FILE: file,
      LUCID_RENDER_ACCELERATION: 'none',
      LUCID_RENDER_FRAME_RATE: '20',
    };
    await withServices(settings, async (services) => {
      const session_id = await record(services);
      const { id } = await services.videos.createVideo({ body: { session_id, codec: 'hevc' } });
      const video = await finished(services, id);
      assert.equal(video.error, null);
      assert.deepEqual([video.state, video.facts!.encoder, video.facts!.frame_rate], ['done', 'libx265', 20]);
      assert.ok(video.facts!.receipts_checked > 0);
      const parts: Uint8Array[] = [];
      for await (const part of await services.videos.downloadVideo({ params: { id }, query: {} })) parts.push(part);
      const bytes = Buffer.concat(parts);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), video.facts!.sha256);
      const part: Uint8Array[] = [];
      const query = { from: 10, to: 110 };
      for await (const piece of await services.videos.downloadVideo({ params: { id }, query })) part.push(piece);
      assert.deepEqual(Buffer.concat(part), bytes.subarray(10, 110));
      const copy = join(root, 'copy.mp4');
      writeFileSync(copy, bytes);
      assert.deepEqual([probeVideo(copy).codec, probeVideo(copy).frames], ['hevc', video.facts!.frames]);
      assert.equal((await services.videos.listVideos({})).items.length, 1);
      await services.videos.deleteVideo({ params: { id } });
      await assert.rejects(services.videos.getVideo({ params: { id } }), { code: 'not_found' });
      const { checks } = await services.health('session-recorder');
      assert.deepEqual(checks.videos, { status: 'healthy', detail: 'libx264 (software)' });
    });
  });

  test('what cannot be is refused, or told', async () => {
    const file = join(root, 'render.txt');
    writeFileSync(file, `${formatIdentity(generateIdentity())}\n`);
    await withServices(
      { LUCID_RENDER_IDENTITY_FILE: file, LUCID_RENDER_FFMPEG: join(root, 'none') },
      async (services) => {
        const lossy = { session_id: await record(services), quality: 'lossless', bit_rate: 100_000 } as const;
        await assert.rejects(services.videos.createVideo({ body: lossy }), { code: 'invalid_request' });
        const { id } = await services.videos.createVideo({ body: { session_id: lossy.session_id } });
        assert.match((await finished(services, id)).error!, /apt-get install/);
        await assert.rejects(services.videos.downloadVideo({ params: { id }, query: {} }), { code: 'wrong_state' });
        const unknown = await services.videos.createVideo({ body: { session_id: newId() } });
        assert.equal((await finished(services, unknown.id)).state, 'failed');
        assert.equal((await services.health('session-recorder')).checks.videos.status, 'degraded');
      },
    );
  });

  test('without a render recipient none are made, and nothing of it is in health', async () => {
    await withServices({}, async (services) => {
      await assert.rejects(services.videos.createVideo({ body: { session_id: newId() } }), { code: 'wrong_state' });
      assert.equal((await services.health('session-recorder')).checks.videos, undefined);
    });
  });

  test('an identity file that cannot be used stops the start', async () => {
    await assert.rejects(
      withServices({ LUCID_RENDER_IDENTITY_FILE: join(root, 'nowhere') }, async () => {}),
      /LUCID_RENDER_IDENTITY_FILE=.*ENOENT/,
    );
  });
});
