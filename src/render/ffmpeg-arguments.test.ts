import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitCanvas } from './canvas.ts';
import { encodersFor } from './encoders.ts';
import { type EncodeOptions, encodeArguments } from './ffmpeg-arguments.ts';
import { DEFAULT_SETTINGS, type RenderSettings } from './settings.ts';

const canvas = { width: 1024, height: 768 };

function argumentsFor(settings: Partial<RenderSettings>, output: EncodeOptions['output'], metadata = {}): string[] {
  const all = { ...DEFAULT_SETTINGS, ...settings };
  const [encoder] = encodersFor(all);
  const fitting = fitCanvas(canvas, all.resolution);
  return encodeArguments({ encoder, settings: all, canvas, fitting, metadata, output });
}

const after = (args: string[], name: string) => args[args.indexOf(name) + 1];
const file = (path: string) => ({ kind: 'file', path, format: 'mp4' }) as const;

test('raw frames come in, a file of the codec goes out', () => {
  const args = argumentsFor({ acceleration: 'none', frameRate: 30 }, file('/tmp/out.part'));
  assert.equal(after(args, '-pixel_format'), 'yuv420p');
  assert.equal(after(args, '-video_size'), '1024x768');
  assert.equal(after(args, '-framerate'), '30');
  assert.equal(after(args, '-c:v'), 'libx264');
  assert.equal(after(args, '-i'), 'pipe:0');
  assert.equal(after(args, '-movflags'), '+faststart');
  assert.ok(!args.includes('-vf'));
});

test('names that look like options or protocols stay names', () => {
  const path = '-y concat:a|b; $(touch x).mp4';
  const args = argumentsFor({}, file(path), { title: '"; rm -rf /' });
  assert.equal(args.at(-1), `file:${path}`);
  assert.equal(after(args, '-metadata'), 'title="; rm -rf /');
});

test('another resolution is scaled, with bars', () => {
  const args = argumentsFor({ acceleration: 'none', resolution: '1080p' }, file('a'));
  assert.equal(
    after(args, '-vf'),
    'scale=1440:1080:flags=lanczos+accurate_rnd+full_chroma_int,pad=1920:1080:240:0:0x303030',
  );
});

test('VAAPI has its device, and frames are brought there', () => {
  const args = argumentsFor({ acceleration: 'vaapi' }, file('a'));
  assert.equal(after(args, '-init_hw_device'), 'vaapi=gpu');
  assert.equal(after(args, '-vf'), 'format=nv12,hwupload');
  assert.ok(!args.includes('-pix_fmt'));
});

test('HEVC has the tag that players know; lossless has no YUV anywhere', () => {
  assert.equal(after(argumentsFor({ codec: 'hevc', acceleration: 'none' }, file('a')), '-tag:v'), 'hvc1');
  const args = argumentsFor({ quality: 'lossless' }, file('a'));
  assert.equal(after(args, '-pixel_format'), 'rgb0');
  assert.ok(!args.some((arg) => arg.includes('yuv') || arg.includes('bt709')));
});

test('a trial writes no file', () => {
  const args = argumentsFor({}, { kind: 'trial' });
  assert.deepEqual(args.slice(-3), ['-f', 'framecrc', 'pipe:1']);
});
