import { rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { LivePointer } from '#contract/live-frames.ts';
import type { LivePicture } from '#contract/live-picture.ts';
import { writePng } from '#rdp/graphics/png.ts';
import { DEFAULT_POINTER, drawPointer, type PointerImage } from '#rdp/graphics/pointer-image.ts';

/** Writes a live picture to a file that is whole at any time, and that nobody else may read. */
export async function writeLivePng(path: string, picture: LivePicture, withPointer: boolean): Promise<void> {
  const { width, height } = picture;
  const pixels = picture.pixels.slice();
  const { position } = picture.pointer;
  const image = withPointer ? imageOf(picture.pointer) : null;
  if (image && position) drawPointer(new Uint32Array(pixels.buffer), width, height, image, position.x, position.y);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  await writeFile(
    temporary,
    writePng({ width, height, pixels }, (bytes) => deflateSync(bytes)),
    { mode: 0o600 },
  );
  await rename(temporary, path);
}

function imageOf({ shown, image }: LivePointer): PointerImage | null {
  if (shown === 'hidden') return null;
  if (!image) return DEFAULT_POINTER;
  const { width, height, hotX, hotY, pixels } = image;
  return { width, height, hotX, hotY, words: new Uint32Array(pixels.slice().buffer) };
}
