/** The keys and buttons that are down at the server, so that they can be let go without the client. */
import { type InputEvent, PointerFlag, type UnknownInputEvent } from '#rdp/pdu/input.ts';

const BUTTONS = PointerFlag.button1 | PointerFlag.button2 | PointerFlag.button3;
/** pointerFlags of an extended mouse event: buttons four and five. */
const EXTENDED_BUTTONS = 0x3;

const WHEELS = PointerFlag.wheel | PointerFlag.horizontalWheel;
/** More than any keyboard has: who holds more down is no person. */
const MAX_KEYS = 256;

type Key = Extract<InputEvent, { kind: 'scancode' | 'unicode' }>;

/** Follows what a client sends. */
export class HeldInput {
  readonly #keys = new Map<string, Key>();
  #buttons = 0;
  #extendedButtons = 0;
  #at = { x: 0, y: 0 };

  take(events: readonly (InputEvent | UnknownInputEvent)[]): void {
    for (const event of events) this.#take(event);
  }

  /** @returns what lets go of all, as if it were pressed no more; at most one event for each key and button */
  release(): InputEvent[] {
    const keys = Array.from(this.#keys.values(), (key): InputEvent => ({ ...key, release: true }));
    const mouse = (kind: 'mouse' | 'extendedMouse', buttons: number): InputEvent[] =>
      bitsOf(buttons).map((flags) => ({ kind, flags, ...this.#at }));
    const events = [...keys, ...mouse('mouse', this.#buttons), ...mouse('extendedMouse', this.#extendedButtons)];
    this.#keys.clear();
    this.#buttons = this.#extendedButtons = 0;
    return events;
  }

  #take(event: InputEvent | UnknownInputEvent): void {
    switch (event.kind) {
      case 'scancode':
        this.#key(`${event.extended} ${event.extended1} ${event.code}`, event);
        break;
      case 'unicode':
        this.#key(`unicode ${event.code}`, event);
        break;
      case 'synchronize':
        this.#keys.clear();
        break;
      case 'mouse':
        // A turn of the wheel may carry no position.
        if ((event.flags & WHEELS) !== 0) break;
        this.#at = { x: event.x, y: event.y };
        this.#buttons = pressed(this.#buttons, event.flags, BUTTONS);
        break;
      case 'extendedMouse':
        this.#at = { x: event.x, y: event.y };
        this.#extendedButtons = pressed(this.#extendedButtons, event.flags, EXTENDED_BUTTONS);
        break;
    }
  }

  #key(name: string, event: Key): void {
    if (event.release) this.#keys.delete(name);
    else if (this.#keys.size < MAX_KEYS) this.#keys.set(name, event);
  }
}

function pressed(held: number, flags: number, buttons: number): number {
  const named = flags & buttons;
  return flags & PointerFlag.down ? held | named : held & ~named;
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 16 }, (_, i) => mask & (1 << i)).filter((bit) => bit !== 0);
}
