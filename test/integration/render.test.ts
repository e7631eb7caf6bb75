/** Videos of recordings, made by real encoders and taken apart again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { AgeIdentity } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { drawText } from '#rdp/graphics/painter.ts';
import { DEFAULT_POINTER, drawPointer } from '#rdp/graphics/pointer-image.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { type RenderOptions, render } from '#render/render.ts';
import { DEFAULT_SETTINGS, type RenderSettings } from '#render/settings.ts';
import { replayTo } from '../../src/cli/replay-screen.ts';
import { needs } from '../support/needs.ts';
import { assertSamePixels, type Picture } from '../support/pixels.ts';
import { ScriptedRecording } from '../support/scripted-recording.ts';
import { decodeFrames, probeVideo, psnr } from '../support/video.ts';

const skip = needs('ffmpeg', 'ffprobe');
const WIDTH = 320;
const HEIGHT = 240;
const PURPLE = rgbx(120, 60, 180);
const GREY = rgbx(48, 48, 48);
const WHITE = rgbx(255, 255, 255);

const folder = mkdtempSync(join(tmpdir(), 'lucid-render-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Extras extends Partial<Omit<RenderOptions, 'settings' | 'output'>> {
  settings?: Partial<RenderSettings>;
  identity?: AgeIdentity;
  file?: string;
}

async function renderIt(recording: ScriptedRecording, { settings, identity, file, ...rest }: Extras = {}) {
  const reader = new BundleReader(openBundleSource(recording.folder), [identity ?? recording.auditor]);
  const output = join(folder, file ?? `${recording.id}.mp4`);
  const software = { ...DEFAULT_SETTINGS, acceleration: 'none' } as const;
  const result = await render(reader, { output, settings: { ...software, ...settings }, ...rest });
  return { result, output, reader };
}

/** Text on colours, something that moves, a hand that moves. Three runs of two seconds. */
function busyRecording(): ScriptedRecording {
  const recording = new ScriptedRecording(folder, WIDTH, HEIGHT);
  recording.paint(rectangle(0, 0, WIDTH, HEIGHT), rgbx(20, 40, 60));
  for (let step = 0; step < 60; step++) {
    recording.wait(0.1);
    recording.moveMouse(step * 4, 100 + step);
    recording.paint(rectangle(step * 4, 20, 40, 40), rgbx(255 - step * 4, step * 4, 90));
    drawText(recording.screen, 10, 120 + (step % 6) * 16, `line ${step} of what is typed`, WHITE);
    recording.send(rectangle(0, 110, WIDTH, 110));
    if (step % 20 === 19) recording.seal();
  }
  recording.close();
  return recording;
}

/** What a frame must show: the replay at the end of its time, and the pointer. */
function expectedFrame(
  reader: BundleReader,
  frame: number,
  frameRate: number,
  pointer: { x: number; y: number },
): Picture {
  const { screen } = replayTo(reader, ((frame + 1) * 1e6) / frameRate - 1);
  const words = screen.screen.words.slice();
  drawPointer(words, screen.width, screen.height, DEFAULT_POINTER, pointer.x, pointer.y);
  return { width: screen.width, height: screen.height, pixels: new Uint8Array(words.buffer) };
}

const FRAMES = [12, 33, 59];
/** The script moves the hand every tenth of a second, beginning with the first. */
const handAt = (frame: number, frameRate: number) => {
  const step = Math.min(59, Math.ceil(((frame + 1) * 10) / frameRate - 1e-9) - 2);
  return { x: step * 4, y: 100 + step };
};

describe('render', { skip, concurrency: false }, () => {
  const busy = busyRecording();

  for (const [codec, encoders] of [
    ['h264', ['libx264']],
    ['hevc', ['libx265']],
    ['av1', ['libsvtav1', 'libaom-av1']],
  ] as const) {
    test(`${codec}: every frame is the replay's, nearly`, async () => {
      const { result, output, reader } = await renderIt(busy, { settings: { codec, quality: 'high', frameRate: 10 } });
      assert.ok((encoders as readonly string[]).includes(result.encoder), result.encoder);
      const video = probeVideo(output);
      assert.equal(video.codec, codec);
      assert.deepEqual([video.width, video.height], [WIDTH, HEIGHT]);
      assert.equal(video.frames, result.frames);
      assert.equal(video.frameRate, '10/1');
      assert.ok(Math.abs(video.seconds - 6) <= 0.1, `${video.seconds} s`);
      assert.equal(result.receipts_checked, 3);
      for (const [i, picture] of decodeFrames(output, FRAMES).entries()) {
        const expected = expectedFrame(reader, FRAMES[i], 10, handAt(FRAMES[i], 10));
        const quality = psnr(picture, expected);
        assert.ok(quality > 27, `frame ${FRAMES[i]}: ${quality} dB`);
      }
    });

    test(`${codec}, lossless: every pixel is the replay's`, async () => {
      const settings = { codec, quality: 'lossless', frameRate: 10 } as const;
      const { output, reader } = await renderIt(busy, { settings, file: 'lossless.mkv' });
      for (const [i, picture] of decodeFrames(output, FRAMES).entries()) {
        const expected = expectedFrame(reader, FRAMES[i], 10, handAt(FRAMES[i], 10));
        assertSamePixels(picture, expected, join(tmpdir(), `lucid-render-${codec}-${FRAMES[i]}`));
      }
    });
  }

  test('the file is told as it is, and nobody else may read it', async () => {
    const { result, output } = await renderIt(busy, { settings: { frameRate: 5 } });
    assert.equal(result.sha256, createHash('sha256').update(readFileSync(output)).digest('hex'));
    assert.equal(result.bytes, readFileSync(output).length);
    assert.equal(result.pointer, 'drawn');
    assert.deepEqual(result.missing, []);
    assert.deepEqual(leftovers(), []);
  });

  test('other resolutions have bars and the right size; better qualities and bit rates take more bytes', async () => {
    const { output } = await renderIt(busy, { settings: { resolution: '720p', frameRate: 5 } });
    const { width, height } = probeVideo(output);
    assert.deepEqual([width, height], [1280, 720]);
    const [frame] = decodeFrames(output, [10]);
    const at = (x: number, y: number) => frame.pixels.slice((y * 1280 + x) * 4, (y * 1280 + x) * 4 + 3);
    assert.ok(
      at(40, 360).every((value) => Math.abs(value - 48) < 4),
      'a bar at the left',
    );
    assert.ok(at(640, 700)[2] > 40, 'the desktop in the middle');
    const sizes: number[] = [];
    for (const quality of ['low', 'ultra'] as const)
      sizes.push((await renderIt(busy, { settings: { quality } })).result.bytes);
    for (const bitRate of [50_000, 2_000_000])
      sizes.push((await renderIt(busy, { settings: { bitRate } })).result.bytes);
    assert.ok(sizes[0] < sizes[1] && sizes[2] < sizes[3], sizes.join());
  });

  test('a hidden input key: no pointer, and that is told', async () => {
    const settings = { quality: 'lossless', frameRate: 10 } as const;
    const { result, output, reader } = await renderIt(busy, { settings, identity: busy.guest });
    assert.match(result.pointer, /does not open the input/);
    const [frame] = decodeFrames(output, [33]);
    const { screen } = replayTo(reader, 3.4e6 - 1);
    assertSamePixels(frame, screen, join(tmpdir(), 'lucid-render-no-pointer'));
  });

  test('a resize in mid-session is kept: the canvas has room for all, smaller ones stand in the middle', async () => {
    const recording = new ScriptedRecording(folder, 200, 100);
    recording.paint(rectangle(0, 0, 200, 100), PURPLE);
    recording.wait(1);
    recording.marker({ kind: 'resize', width: 120, height: 160, depth: 32 });
    recording.connect(120, 160);
    recording.paint(rectangle(0, 0, 120, 160), WHITE);
    recording.wait(1);
    recording.marker({ kind: 'end' });
    recording.close();
    const { result, output } = await renderIt(recording, { settings: { quality: 'lossless', frameRate: 10 } });
    assert.deepEqual([result.width, result.height, result.captions], [200, 160, 0]);
    const [wide, high] = decodeFrames(output, [5, 15]);
    const color = ({ pixels }: Picture, x: number, y: number) => new Uint32Array(pixels.buffer)[y * 200 + x];
    assert.deepEqual([color(wide, 0, 29), color(wide, 0, 30), color(wide, 199, 129)], [GREY, PURPLE, PURPLE]);
    assert.deepEqual([color(high, 39, 0), color(high, 40, 0), color(high, 159, 159)], [GREY, WHITE, WHITE]);
  });

  test('idle time is cut on request, and a caption says so', async () => {
    const recording = new ScriptedRecording(folder, 200, 100);
    for (const color of [PURPLE, WHITE]) {
      recording.paint(rectangle(0, 0, 200, 100), color);
      recording.wait(30);
      recording.moveMouse(5, 5);
    }
    recording.close();
    const settings = { quality: 'lossless', frameRate: 10, pointer: false } as const;
    const whole = await renderIt(recording, { settings });
    assert.equal(whole.result.frames, 601);
    const { result, output } = await renderIt(recording, { settings: { ...settings, cutIdle: 3 } });
    // Each 30 s become 3 s and a caption of 2 s; one frame more for the last moment.
    assert.equal(result.cut_seconds, 54);
    assert.equal(result.captions, 2);
    assert.equal(result.frames, 30 + 20 + 30 + 20 + 1);
    assert.ok(Math.abs(probeVideo(output).seconds - 10.1) < 0.01);
    const [before, caption, later] = decodeFrames(output, [29, 40, 60]);
    const colors = (picture: Picture) => new Set(new Uint32Array(picture.pixels.buffer));
    assert.deepEqual([...colors(before)], [PURPLE]);
    assert.ok(colors(caption).size === 2 && !colors(caption).has(PURPLE));
    assert.deepEqual([...colors(later)], [WHITE]);
  });

  test('a pause is left out, whether idle time is or not, and told at both ends', async () => {
    const recording = new ScriptedRecording(folder, 200, 100);
    recording.paint(rectangle(0, 0, 200, 100), PURPLE);
    recording.wait(2);
    recording.marker({ kind: 'pause', detail: 'paused by an operator' });
    recording.wait(3600);
    recording.marker({ kind: 'resume', detail: 'resumed by an operator' });
    recording.paint(rectangle(0, 0, 200, 100), WHITE);
    recording.wait(1);
    recording.moveMouse(5, 5);
    recording.close();
    for (const cutIdle of [null, 1]) {
      const settings = { quality: 'lossless', frameRate: 10, pointer: false, cutIdle } as const;
      const { result, output } = await renderIt(recording, { settings });
      assert.deepEqual(
        [result.cut_seconds, result.captions],
        [3600, 1],
        'both are told at the same moment of the video',
      );
      // 3 s of desktop, a caption of 2 s, and one frame for the last moment.
      assert.equal(result.frames, 30 + 20 + 1);
      const [before, later] = decodeFrames(output, [15, 45]);
      const colors = (picture: Picture) => [...new Set(new Uint32Array(picture.pixels.buffer))];
      assert.deepEqual([colors(before), colors(later)], [[PURPLE], [WHITE]]);
    }
  });

  test('a reconnection and a gap are told', async () => {
    const recording = new ScriptedRecording(folder, 320, 100);
    recording.wait(1);
    recording.marker({ kind: 'disconnected' });
    recording.wait(1);
    recording.marker({ kind: 'reconnected' });
    recording.connect(320, 100);
    recording.wait(1);
    recording.marker({ kind: 'gap', missing: 3 });
    recording.wait(1);
    recording.marker({ kind: 'end' });
    recording.close();
    const { result } = await renderIt(recording, { settings: { frameRate: 10 } });
    assert.equal(result.captions, 2);
    assert.equal(result.frames, 41 + 2 * 20);
  });

  test('pixels that are not those of a receipt fail the render, by the name of the keyframe', async () => {
    const recording = new ScriptedRecording(folder, 64, 64);
    recording.paint(rectangle(0, 0, 64, 64), PURPLE);
    recording.seal();
    recording.wait(1);
    recording.paint(rectangle(0, 0, 64, 64), WHITE);
    recording.seal(new Uint8Array(64 * 64 * 4));
    recording.close();
    await assert.rejects(
      renderIt(recording),
      /keyframe keyframes\/000001\S* byte 0 \(record 2, 00:00:01\): pixels hash to/,
    );
    assert.deepEqual(leftovers(), []);
  });

  describe('what is missing', () => {
    /** Four runs of one second; each paints its own colour after half of it. */
    function colours(): ScriptedRecording {
      const recording = new ScriptedRecording(folder, 320, 120);
      for (let run = 0; run < 4; run++) {
        recording.wait(0.5);
        recording.paint(rectangle(0, 0, 320, 120), rgbx(60 * run, 200, 100));
        recording.wait(0.5);
        recording.paint(rectangle(0, 0, 8, 8), rgbx(60 * run, 200, 100));
        recording.seal();
      }
      recording.close();
      return recording;
    }
    const screenChunk = (recording: ScriptedRecording, index: number) => {
      const name = readdirSync(join(recording.folder, 'screen')).find((file) => file.startsWith(`00000${index}`))!;
      return join(recording.folder, 'screen', name);
    };

    test('a chunk that is gone: refused by name; the rest on request, blank until a keyframe tells the pixels again', async () => {
      const recording = colours();
      rmSync(screenChunk(recording, 1));
      await assert.rejects(renderIt(recording), /not complete.*\n {2}screen\/000001\S*: is missing/);
      const settings = { quality: 'lossless', frameRate: 10 } as const;
      const { result, output } = await renderIt(recording, { settings, allowIncomplete: true });
      assert.deepEqual(
        result.missing.map(({ where }) => where.slice(0, 13)),
        ['screen/000001'],
      );
      assert.equal(result.receipts_checked, 3);
      const [before, blank, again] = decodeFrames(output, [9, 15, 26]).map(
        ({ pixels }) => new Set(new Uint32Array(pixels.buffer)),
      );
      assert.deepEqual([...before], [rgbx(0, 200, 100)]);
      assert.equal(blank.size, 2, 'words on a ground');
      assert.ok(![...blank].some((word) => (word & 0xff00) === 200 << 8));
      assert.deepEqual([...again], [rgbx(120, 200, 100)]);
    });

    test('a flipped bit', async () => {
      const recording = colours();
      const path = screenChunk(recording, 3);
      const bytes = readFileSync(path);
      bytes[bytes.length - 20] ^= 1;
      writeFileSync(path, bytes);
      await assert.rejects(renderIt(recording), /screen\/000003\S*: its SHA-256 is not the one in its leaf/);
      const { result } = await renderIt(recording, { allowIncomplete: true });
      assert.equal(result.receipts_checked, 3);
    });

    test('a session that is still open, and the first chunk gone', async () => {
      const recording = colours();
      rmSync(join(recording.folder, 'close.note'));
      await assert.rejects(renderIt(recording), /close\.note: is missing/);
      rmSync(screenChunk(recording, 0));
      const { result } = await renderIt(recording, { allowIncomplete: true });
      assert.equal(result.missing.length, 2);
      assert.deepEqual([result.width, result.height], [320, 120]);
    });

    test('nothing left', async () => {
      const recording = colours();
      for (const stream of ['screen', 'keyframes']) {
        for (const file of readdirSync(join(recording.folder, stream))) rmSync(join(recording.folder, stream, file));
      }
      await assert.rejects(renderIt(recording, { allowIncomplete: true }), /no picture of the recording is left/);
    });
  });

  describe('FFmpeg', () => {
    /** A program in FFmpeg's place: what `on` matches ends in the middle of the video, all else is FFmpeg. */
    function dyingFfmpeg(on: string, instead = ''): string {
      const bin = join(mkdtempSync(join(folder, 'bin-')), 'ffmpeg');
      const body = [
        '#!/bin/sh',
        `case "$*" in`,
        // A trial writes to standard output and must succeed.
        `  *${on}*pipe:1) ${instead || 'exec ffmpeg "$@"'} ;;`,
        `  *${on}*) head -c 3000000 >/dev/null; echo "the driver has gone away" >&2; exit 69 ;;`,
        'esac',
        'exec ffmpeg "$@"',
        '',
      ];
      writeFileSync(bin, body.join('\n'));
      chmodSync(bin, 0o755);
      return bin;
    }

    test('dies in the middle: the next encoder makes the video, and both are told', async () => {
      const notes: string[] = [];
      const { result, output } = await renderIt(busy, {
        ffmpeg: dyingFfmpeg('libsvtav1'),
        settings: { codec: 'av1', quality: 'low' },
        onNote: (words) => notes.push(words),
      });
      assert.equal(result.encoder, 'libaom-av1');
      assert.deepEqual(
        result.failed.map(({ encoder }) => encoder),
        ['libsvtav1'],
      );
      assert.match(notes.join('\n'), /libsvtav1 failed on the way: .*ended with 69.*\n.*the driver has gone away/);
      assert.equal(probeVideo(output).frames, result.frames);
      assert.equal(result.receipts_checked, 3);
    });

    test('a hardware encoder whose trial works and who dies then gives way to software', async () => {
      const trial = 'cat >/dev/null; echo "0, 0, 0, 1, 100, 0x1"; exit 0';
      const settings = { acceleration: 'nvenc' } as const;
      const { result } = await renderIt(busy, { ffmpeg: dyingFfmpeg('h264_nvenc', trial), settings });
      assert.deepEqual([result.encoder, result.acceleration], ['libx264', 'none']);
      assert.deepEqual(
        result.failed.map(({ encoder }) => encoder),
        ['h264_nvenc'],
      );
    });

    test('dies with the last encoder twice: an error with its last words, and no file', async () => {
      const options = { ffmpeg: dyingFfmpeg('libx264'), file: 'none.mp4' };
      await assert.rejects(renderIt(busy, options), /no encoder for h264 works here:[\s\S]*the driver has gone away/);
      assert.ok(!existsSync(join(folder, 'none.mp4')));
      assert.deepEqual(leftovers(), []);
    });

    test('is not there', async () => {
      await assert.rejects(renderIt(busy, { ffmpeg: join(folder, 'no-ffmpeg') }), /apt-get install .*ffmpeg/);
    });

    test('is stopped when the render is', async () => {
      const stop = new AbortController();
      const onProgress: RenderOptions['onProgress'] = ({ phase, done }) => {
        if (phase === 'drawing' && done === 10) stop.abort(new Error('enough'));
      };
      await assert.rejects(renderIt(busy, { signal: stop.signal, onProgress, file: 'none.mp4' }), /enough/);
      assert.ok(!existsSync(join(folder, 'none.mp4')));
      assert.deepEqual(leftovers(), []);
    });
  });

  test('a name that is no video, or a folder that is not there', async () => {
    await assert.rejects(renderIt(busy, { file: 'video.avi' }), /ends in \.mp4 or \.mkv/);
    await assert.rejects(renderIt(busy, { file: 'no/such/video.mp4' }), /cannot be written/);
    mkdirSync(join(folder, 'taken.mp4'));
    await assert.rejects(renderIt(busy, { file: 'taken.mp4' }), /is a folder/);
  });
});

/** Temporary files that are still there. */
function leftovers(): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.part'));
}
