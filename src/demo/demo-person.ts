/** What the demo's client does at the desktop, as a person would; each step says what came of it. */
import type { DemoDesktop } from './demo-desktop.ts';
import { type DemoStepWork, kilobytes } from './demo-step.ts';
import type { HeadlessClient } from './headless-client.ts';
import { shapeCentre } from './scene.ts';
import { layOut } from './scene-layout.ts';

const typed = 'Nothing is shown before it is recorded.\n\n';
const pasted = 'This line came through the clipboard.';
const typingPauseMs = 12;

export async function typeText(client: HeadlessClient): Promise<DemoStepWork<null>> {
  await client.type(typed, typingPauseMs);
  await client.waitForPad((text) => text.replaceAll('\n', ' ').includes(typed.trim()), 'what was typed');
  return { value: null, result: `${typed.length} keys, read back off the screen` };
}

export async function dragShape(client: HeadlessClient, desktop: DemoDesktop): Promise<DemoStepWork<null>> {
  const layout = layOut(client.decoder.width, client.decoder.height);
  const from = shapeCentre(layout, desktop.model.state);
  const to = { x: from.x + 90, y: from.y + 70 };
  await client.drag(from, to);
  const arrived = () => {
    const { x, y } = shapeCentre(layout, desktop.model.state);
    return x === to.x && y === to.y && !desktop.model.state.isDragged;
  };
  await client.waitUntil(arrived, 'the shape to arrive');
  return { value: null, result: `from ${from.x}, ${from.y} to ${to.x}, ${to.y}` };
}

export async function useClipboard(client: HeadlessClient): Promise<DemoStepWork<null>> {
  client.copy(pasted);
  await client.waitForCopy();
  client.pressControl('v');
  await client.waitForPad((text) => text.replaceAll('\n', ' ').includes(pasted), 'what was pasted');
  client.pressControl('c');
  await client.waitForClipboard();
  const back = await client.paste();
  if (back !== typed + pasted)
    throw new Error(`pasted ${JSON.stringify(back)}, wanted ${JSON.stringify(typed + pasted)}`);
  return { value: null, result: `${pasted.length} characters there, ${back.length} back` };
}

export async function leave(client: HeadlessClient): Promise<DemoStepWork<string>> {
  await client.disconnect();
  const value = client.pixelHash();
  const { undecodableBytes } = client.decoder;
  if (undecodableBytes > 0) throw new Error(`${undecodableBytes} bytes could not be decoded`);
  return { value, result: `${client.frames} PDUs and ${kilobytes(client.shownBytes)} were shown` };
}
