import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Encoder, encodersFor, qualityArguments } from './encoders.ts';
import { ACCELERATIONS, CODECS, DEFAULT_SETTINGS, QUALITIES } from './settings.ts';

const names = (encoders: Encoder[]) => encoders.map(({ name }) => name);

test('auto tries V4L2, VAAPI, NVENC, QSV, then software', () => {
  const auto = { quality: 'medium', acceleration: 'auto' } as const;
  const h264 = ['h264_v4l2m2m', 'h264_vaapi', 'h264_nvenc', 'h264_qsv', 'libx264'];
  assert.deepEqual(names(encodersFor({ ...auto, codec: 'h264' })), h264);
  const av1 = ['av1_v4l2m2m', 'av1_vaapi', 'av1_nvenc', 'av1_qsv', 'libsvtav1', 'libaom-av1'];
  assert.deepEqual(names(encodersFor({ ...auto, codec: 'av1' })), av1);
});

test('one acceleration is tried before software; none is software alone', () => {
  const hevc = { codec: 'hevc', quality: 'high' } as const;
  assert.deepEqual(names(encodersFor({ ...hevc, acceleration: 'vaapi' })), ['hevc_vaapi', 'libx265']);
  assert.deepEqual(names(encodersFor({ ...hevc, acceleration: 'none' })), ['libx265']);
});

test('lossless takes encoders of RGB, in software', () => {
  for (const codec of CODECS) {
    const encoders = encodersFor({ codec, acceleration: 'auto', quality: 'lossless' });
    assert.ok(encoders.length > 0);
    for (const { input, acceleration, lossless } of encoders) {
      assert.deepEqual({ input, acceleration, lossless }, { input: 'rgb0', acceleration: 'none', lossless: true });
    }
  }
});

test('every encoder has words for every quality and for a bit rate', () => {
  for (const codec of CODECS) {
    for (const acceleration of ACCELERATIONS) {
      for (const quality of QUALITIES) {
        for (const encoder of encodersFor({ codec, acceleration, quality })) {
          const settings = { ...DEFAULT_SETTINGS, codec, acceleration, quality };
          assert.ok(qualityArguments(encoder, settings, 1e7).length > 0, `${encoder.name} ${quality}`);
          if (quality === 'lossless') continue;
          const args = qualityArguments(encoder, { ...settings, bitRate: 2_000_000 }, 1e7);
          assert.equal(args[args.indexOf('-b:v') + 1], '2000000', encoder.name);
          assert.ok(!args.includes('-crf') && !args.includes('-cq'), encoder.name);
        }
      }
    }
  }
});

test('better qualities ask for more', () => {
  const [encoder] = encodersFor({ codec: 'h264', acceleration: 'none', quality: 'low' });
  const crfs = (['low', 'medium', 'high', 'ultra'] as const).map((quality) => {
    const args = qualityArguments(encoder, { quality, bitRate: null }, 1e7);
    return Number(args[args.indexOf('-crf') + 1]);
  });
  assert.deepEqual(
    crfs,
    crfs.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(crfs).size, 4);
});
