/** The decoders' benchmark in a browser: a module of the page that chromium.ts serves; posts its figures. */
import { decodeCases, framesPerSecond, type Timing } from './decode-work.ts';

const parameters = new URL(import.meta.url).searchParams;
const timing: Timing = {
  cpuMs: async () => Number(await (await fetch('/cpu')).text()),
  runs: Number(parameters.get('runs')),
  runMs: Number(parameters.get('runMs')),
};

async function timeAll(): Promise<number[]> {
  const figures: number[] = [];
  for (const each of decodeCases()) figures.push(await framesPerSecond(each, timing));
  return figures;
}

const answer = await timeAll().then(
  (result) => ({ result }),
  (error: unknown) => ({ error: error instanceof Error ? error.stack : String(error) }),
);
await fetch('/result', { method: 'POST', body: JSON.stringify(answer) });
