import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemCallFilter } from './system-calls.ts';

const ALLOW = 0x7fff0000;
const NO_SUCH_CALL = 0x00050000 | 38;
const NO_SUCH_FAMILY = 0x00050000 | 97;

/** Runs a filter as the kernel does. */
function judge(program: Uint8Array, audit: number, call: number, argument = 0): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new Map([
    [0, call],
    [4, audit],
    [16, argument],
  ]);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const operand = view.getUint32(at + 4, true);
    const code = view.getUint16(at, true);
    if (code === 0x20) accumulator = data.get(operand)!;
    else if (code === 0x06) return operand;
    else {
      assert.ok(code === 0x15 || code === 0x35, `opcode ${code}`);
      const holds = code === 0x15 ? accumulator === operand : accumulator >= operand;
      at += 8 * program[at + (holds ? 2 : 3)];
    }
  }
  throw new Error('the program has no end');
}

for (const [name, audit, socket, refused] of [
  ['x64', 0xc000003e, 41, [248, 249, 250, 298, 321, 323, 425, 426, 427]],
  ['arm64', 0xc00000b7, 198, [217, 218, 219, 241, 280, 282, 425, 426, 427]],
] as const) {
  test(`${name}: refuses what it names, other ABIs and other families, and nothing else`, () => {
    const program = systemCallFilter(name)!;
    for (let call = 0; call < 600; call++) {
      if (call === socket) continue;
      const wanted = (refused as readonly number[]).includes(call) ? NO_SUCH_CALL : ALLOW;
      assert.equal(judge(program, audit, call), wanted, `call ${call}`);
    }
    for (let family = 0; family < 50; family++) {
      const wanted = [1, 2, 10, 16].includes(family) ? ALLOW : NO_SUCH_FAMILY;
      assert.equal(judge(program, audit, socket, family), wanted, `family ${family}`);
    }
    assert.equal(judge(program, 0x40000003, 1), NO_SUCH_CALL, 'i386');
    assert.equal(judge(program, audit, 0x40000001), NO_SUCH_CALL, 'x32');
  });
}

test('an architecture that is not known has no filter', () => {
  assert.equal(systemCallFilter('s390x'), null);
});
