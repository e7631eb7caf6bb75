import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ffmpeg } from './ffmpeg.ts';
import { FramePool } from './frame-pool.ts';
import { FfmpegError, RenderError } from './render-error.ts';

/** Node.js in the place of FFmpeg: what is tested is how a child is fed and listened to. */
const child = (script: string) => new Ffmpeg(process.execPath, ['-e', script], 'libx264');

test('a child that takes all that it is given, and ends well', async () => {
  const ffmpeg = child('let n = 0; process.stdin.on("data", (d) => n += d.length).on("end", () => console.log(n))');
  const frame = new Uint8Array(1_000_000);
  for (let i = 0; i < 20; i++) await ffmpeg.write(frame);
  await ffmpeg.finish();
  assert.equal(ffmpeg.output, '20000000\n');
});

test('writing waits for a child that does not read', async () => {
  const ffmpeg = child('setTimeout(() => {}, 60000)');
  await ffmpeg.write(new Uint8Array(8_000_000));
  let written = false;
  const second = ffmpeg.write(new Uint8Array(8_000_000)).then(
    () => {
      written = true;
    },
    () => {},
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written, false);
  await ffmpeg.kill();
  await second;
  assert.equal(written, false);
});

test('a child that dies on the way is told with its last lines', async () => {
  const ffmpeg = child('for (let i = 0; i < 50; i++) console.error("line", i); process.exitCode = 7;');
  const dies = async () => {
    for (;;) await ffmpeg.write(new Uint8Array(1_000_000));
  };
  await assert.rejects(dies, (error) => {
    assert.ok(error instanceof FfmpegError);
    assert.match(error.message, /ended with 7, libx264/);
    assert.deepEqual(error.lastLines.slice(-2), ['line 48', 'line 49']);
    assert.ok(error.lastLines.length <= 8);
    return true;
  });
});

test('a program that is not there is told with how to get it', async () => {
  const ffmpeg = new Ffmpeg('/nowhere/ffmpeg', [], 'libx264');
  await assert.rejects(ffmpeg.finish(), (error) => {
    assert.ok(error instanceof RenderError && !(error instanceof FfmpegError));
    assert.match(error.message, /apt-get install .*ffmpeg/);
    return true;
  });
});

test('a full disk is no fault of the encoder', () => {
  assert.equal(new FfmpegError('', ['av_interleaved_write_frame(): No space left on device']).isAboutOutput, true);
  assert.equal(new FfmpegError('', ['Cannot load libcuda.so.1']).isAboutOutput, false);
});

test('a changed frame never gets a buffer that is being written', () => {
  const pool = new FramePool(1);
  const busy = new Set<Uint8Array>();
  for (let i = 0; i < 10; i++) {
    pool.put(Uint8Array.of(i), (buffer) => busy.has(buffer));
    assert.equal(pool.current[0], i);
    busy.add(pool.current);
    if (busy.size > 2) busy.delete([...busy][0]);
  }
});
