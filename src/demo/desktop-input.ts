/** What keys and mouse of one connection do to the demo desktop. */
import type { InputEvent, UnknownInputEvent } from '#rdp/pdu/input.ts';
import { PointerFlag } from '#rdp/pdu/input.ts';
import type { DemoModel } from './demo-model.ts';
import { characterOf, Scancode } from './keyboard.ts';
import { shapeCentre } from './scene.ts';
import { type SceneLayout, shapeRadius } from './scene-layout.ts';

/** What is under the pointer. */
export type Region = 'pad' | 'shape' | 'desk';

/** What keys can ask for that only the connection can do. */
export interface InputCommands {
  copy(): void;
  paste(): void;
  hover(region: Region): void;
}

export class DesktopInput {
  readonly #model: DemoModel;
  readonly #layout: SceneLayout;
  readonly #commands: InputCommands;
  readonly #held = new Set<number>();
  #capsLock = false;
  #highSurrogate = '';
  /** From the pointer to the shape's centre while it is dragged. */
  #grip: { dx: number; dy: number } | null = null;

  constructor(model: DemoModel, layout: SceneLayout, commands: InputCommands) {
    this.#model = model;
    this.#layout = layout;
    this.#commands = commands;
  }

  take(event: InputEvent | UnknownInputEvent): void {
    switch (event.kind) {
      case 'scancode':
        this.#key(event.code, event.release);
        break;
      case 'unicode':
        if (!event.release) this.#unicode(String.fromCharCode(event.code));
        break;
      case 'mouse':
        this.#mouse(event.flags, event.x, event.y);
        break;
      case 'synchronize':
        this.#held.clear();
        this.#capsLock = (event.toggleFlags & 4) !== 0;
        break;
    }
  }

  #key(code: number, release: boolean): void {
    if (release) {
      this.#held.delete(code);
      return;
    }
    this.#held.add(code);
    if (code === Scancode.capsLock) this.#capsLock = !this.#capsLock;
    if (code === Scancode.backspace) this.#model.erase();
    const isShifted = this.#held.has(Scancode.leftShift) || this.#held.has(Scancode.rightShift);
    const character = characterOf(code, isShifted, this.#capsLock);
    if (character === null) return;
    if (!this.#held.has(Scancode.control)) this.#model.type(character);
    else if (character === 'c') this.#commands.copy();
    else if (character === 'v') this.#commands.paste();
  }

  #unicode(unit: string): void {
    const isHigh = unit >= '\ud800' && unit <= '\udbff';
    if (!isHigh) this.#model.type(this.#highSurrogate + unit);
    this.#highSurrogate = isHigh ? unit : '';
  }

  #mouse(flags: number, x: number, y: number): void {
    const region = this.#regionAt(x, y);
    if (flags & PointerFlag.button1) {
      const isDown = (flags & PointerFlag.down) !== 0;
      const centre = shapeCentre(this.#layout, this.#model.state);
      this.#grip = isDown && region === 'shape' ? { dx: centre.x - x, dy: centre.y - y } : null;
      this.#model.drag(this.#grip !== null);
    }
    if (this.#grip) {
      const { left, top, right, bottom } = this.#layout.reach;
      const shareX = (x + this.#grip.dx - left) / Math.max(1, right - 1 - left);
      this.#model.moveShape(shareX, (y + this.#grip.dy - top) / Math.max(1, bottom - 1 - top));
    }
    this.#commands.hover(this.#grip ? 'shape' : region);
  }

  #regionAt(x: number, y: number): Region {
    const centre = shapeCentre(this.#layout, this.#model.state);
    if (Math.hypot(x - centre.x, y - centre.y) <= shapeRadius) return 'shape';
    const { pad } = this.#layout;
    return x >= pad.left && x < pad.right && y >= pad.top && y < pad.bottom ? 'pad' : 'desk';
  }
}
