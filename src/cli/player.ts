import { inflateSync } from 'node:zlib';
import type { Player } from '#evidence/node/verify-records.ts';
import { readPng } from '#rdp/graphics/png.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';

/** Replays the bitmap profile: what the evidence library leaves to others. */
export const player: Player = {
  makeScreen: () => new ScreenDecoder(),
  readPng: (png) => readPng(png, (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit })),
};
