import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createLog } from '#platform/log.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { DEFAULT_SETTINGS } from '#render/settings.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { needs } from '../../../../test/support/needs.ts';
import { ScriptedRecording } from '../../../../test/support/scripted-recording.ts';
import { VideoJobs, type VideoJobsOptions } from './video-jobs.ts';

describe('video jobs', { skip: needs('ffmpeg') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-video-jobs-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const recording = new ScriptedRecording(folder, 160, 120);
  for (let second = 0; second < 20; second++) {
    recording.paint(rectangle(0, 0, 160, 120), rgbx(second * 10, 80, 120));
    recording.wait(1);
  }
  recording.close();
  const tar = join(folder, 'bundle.tar');
  assert.equal(spawnSync('tar', ['--format=ustar', '-cf', tar, '-C', recording.folder, '.']).status, 0);
  // The store's layout has one file less than a bundle: nobody looks at the sums here.
  const identity = readFileSync(recording.identityFile(recording.guest), 'utf8');

  async function open(changes: Partial<VideoJobsOptions> = {}): Promise<VideoJobs> {
    return VideoJobs.open({
      ...{ folder: mkdtempSync(join(folder, 'videos-')), identity, ffmpeg: 'ffmpeg' },
      settings: { ...DEFAULT_SETTINGS, acceleration: 'none', frameRate: 5 },
      fetchBundle: async () => createReadStream(tar),
      log: createLog('silent'),
      ...changes,
    });
  }

  async function ended(jobs: VideoJobs, id: string) {
    return eventually('the video', () => {
      const job = jobs.get(id);
      return job.finishedAt !== null && job;
    });
  }

  test('a video is made with what the service is set to, and what the job says', async () => {
    const jobs = await open();
    const { id, state } = jobs.request({ session: recording.id, settings: { resolution: '720p' } });
    assert.equal(state, 'running');
    const job = await ended(jobs, id);
    assert.equal(job.error, null);
    assert.deepEqual([job.state, job.result!.encoder, job.result!.width], ['done', 'libx264', 1280]);
    assert.match(job.result!.pointer, /does not open the input/);
    assert.ok(existsSync(jobs.fileOf(id)));
    const file = jobs.fileOf(id);
    await jobs.remove(id);
    assert.ok(!existsSync(file));
    assert.throws(() => jobs.get(id), { code: 'not_found' });
    await jobs.close();
  });

  test('one at a time; the others wait their turn, and a running one can be taken back', async () => {
    const videos = mkdtempSync(join(folder, 'videos-'));
    const jobs = await open({ folder: videos });
    const first = jobs.request({ session: recording.id, settings: { frameRate: 60, resolution: '4k' } });
    const second = jobs.request({ session: recording.id });
    assert.deepEqual([first.state, second.state], ['running', 'waiting']);
    assert.throws(() => jobs.fileOf(second.id), { code: 'wrong_state' });
    await eventually('the first frames', () => {
      assert.equal(jobs.get(first.id).error, null);
      return jobs.get(first.id).progress?.phase === 'drawing';
    });
    await jobs.remove(first.id);
    assert.equal((await ended(jobs, second.id)).state, 'done');
    assert.deepEqual(readdirSync(videos), [`${second.id}.mp4`]);
    await jobs.close();
    assert.deepEqual(readdirSync(videos), []);
  });

  test('what goes wrong is told in words', async () => {
    const jobs = await open({ ffmpeg: join(folder, 'none') });
    const { id } = jobs.request({ session: recording.id });
    assert.match((await ended(jobs, id)).error!, /apt-get install/);
    const gone = await open({ fetchBundle: () => Promise.reject(new Error('the store is away')) });
    const lost = gone.request({ session: recording.id });
    assert.match((await ended(gone, lost.id)).error!, /the store is away/);
    assert.throws(() => gone.request({ session: recording.id, settings: { frameRate: 0 } }), /frame rate 0/);
    await jobs.close();
    await gone.close();
  });
});
