/**
 * One render, in a process of its own so that its memory can be told. Arguments: bundle, identity file, output, settings as
 * JSON. Prints what it took as JSON.
 */
import { readFileSync } from 'node:fs';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { render } from '#render/render.ts';

/** What a render took. */
export interface RenderCost {
  readonly wallSeconds: number;
  /** Of this process, FFmpeg not included. */
  readonly cpuSeconds: number;
  readonly maxResidentMegabytes: number;
  readonly frames: number;
  readonly seconds: number;
  readonly bytes: number;
}

const [bundle, identityFile, output, settings] = process.argv.slice(2);
const reader = new BundleReader(openBundleSource(bundle), parseIdentityFile(readFileSync(identityFile, 'utf8')));
const started = performance.now();
const { frames, seconds, bytes } = await render(reader, { output, settings: JSON.parse(settings) });
const wallSeconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage();
const cost: RenderCost = {
  ...{ wallSeconds, cpuSeconds: (user + system) / 1e6, frames, seconds, bytes },
  maxResidentMegabytes: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(JSON.stringify(cost));
