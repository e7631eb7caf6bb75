/** Keys of a US keyboard by scancode (set 1), for both ends: what a key types, and which keys type a text. */
import type { InputEvent } from '#rdp/pdu/input.ts';

type Key = Extract<InputEvent, { kind: 'scancode' }>;

const rows = [
  { first: 0x02, plain: '1234567890-=', shifted: '!@#$%^&*()_+' },
  { first: 0x10, plain: 'qwertyuiop[]', shifted: 'QWERTYUIOP{}' },
  { first: 0x1e, plain: "asdfghjkl;'`", shifted: 'ASDFGHJKL:"~' },
  { first: 0x2b, plain: '\\zxcvbnm,./', shifted: '|ZXCVBNM<>?' },
  { first: 0x39, plain: ' ', shifted: ' ' },
  { first: 0x1c, plain: '\n', shifted: '\n' },
  { first: 0x0f, plain: '\t', shifted: '\t' },
];

/** Scancodes that type nothing by themselves. */
export const Scancode = { backspace: 0x0e, control: 0x1d, leftShift: 0x2a, rightShift: 0x36, capsLock: 0x3a } as const;

const charactersOf = new Map<number, { plain: string; shifted: string }>();
const keysOf = new Map<string, { code: number; isShifted: boolean }>();
for (const { first, plain, shifted } of rows)
  for (let i = 0; i < plain.length; i++) {
    charactersOf.set(first + i, { plain: plain[i], shifted: shifted[i] });
    keysOf.set(shifted[i], { code: first + i, isShifted: true });
    keysOf.set(plain[i], { code: first + i, isShifted: false });
  }

/** What a key types, or null when it types nothing. */
export function characterOf(code: number, isShifted: boolean, capsLock: boolean): string | null {
  const key = charactersOf.get(code);
  if (!key) return null;
  const isLetter = key.plain >= 'a' && key.plain <= 'z';
  return isShifted !== (isLetter && capsLock) ? key.shifted : key.plain;
}

/** The press or the release of a key. */
export function keyEvent(code: number, release: boolean): Key {
  return { kind: 'scancode', release, extended: false, extended1: false, code };
}

/** Events that type a text: by keys where a US keyboard has them, else as Unicode. */
export function typingEvents(text: string): InputEvent[] {
  return Array.from(text).flatMap((character): InputEvent[] => {
    const key = keysOf.get(character);
    if (!key) {
      const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
      return units.flatMap((code): InputEvent[] => [
        { kind: 'unicode', release: false, code },
        { kind: 'unicode', release: true, code },
      ]);
    }
    const tap = [keyEvent(key.code, false), keyEvent(key.code, true)];
    if (!key.isShifted) return tap;
    return [keyEvent(Scancode.leftShift, false), ...tap, keyEvent(Scancode.leftShift, true)];
  });
}

/** Events that press a key while Control is held. */
export function controlEvents(character: string): InputEvent[] {
  const key = keysOf.get(character);
  if (!key) throw new RangeError(`no key types ${JSON.stringify(character)}`);
  return [
    keyEvent(Scancode.control, false),
    keyEvent(key.code, false),
    keyEvent(key.code, true),
    keyEvent(Scancode.control, true),
  ];
}
