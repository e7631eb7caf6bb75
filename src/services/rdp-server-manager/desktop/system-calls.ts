/**
 * The filter of system calls for desktops' programs (seccomp): without those whose reach no namespace limits, or that have
 * opened kernels again and again and that no desktop needs. Whoever calls one is told that the kernel has no such call.
 */

/** Numbers and names as linux/audit.h and the architecture's unistd.h have them. */
interface Architecture {
  readonly audit: number;
  /** Calls from here on are of another ABI with the same audit number (x32). */
  readonly end: number;
  readonly socket: number;
  readonly refused: readonly number[];
}

/** io_uring_setup, _enter, _register: the same everywhere. */
const IO_URING = [425, 426, 427];

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    end: 0x40000000,
    socket: 41,
    // add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd
    refused: [248, 249, 250, 298, 321, 323, ...IO_URING],
  },
  arm64: {
    audit: 0xc00000b7,
    end: 0x40000000,
    socket: 198,
    refused: [217, 218, 219, 241, 280, 282, ...IO_URING],
  },
};

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: others, such as AF_VSOCK, reach beyond a network namespace. */
const FAMILIES = [1, 2, 10, 16];

const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Opcodes of classic BPF (linux/bpf_common.h). */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;
/** Where the kernel puts things: struct seccomp_data. */
const CALL = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const ALLOW = 0x7fff0000;
const FAIL_WITH = 0x00050000;
const INSTRUCTION_BYTES = 8;

/** Opcode, instructions to skip when true, when false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/**
 * The program, as bubblewrap takes it.
 *
 * @returns null for an architecture that this file does not know
 */
export function systemCallFilter(name: NodeJS.Architecture = process.arch): Uint8Array | null {
  const architecture = ARCHITECTURES[name];
  if (!architecture) return null;
  const { audit, end, socket, refused } = architecture;
  // The four endings; jumps count the instructions between them and their aim.
  const tail: Instruction[] = [
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, FAIL_WITH | ENOSYS],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    ...FAMILIES.map((family, i): Instruction => [JUMP_IF_EQUAL, FAMILIES.length - i, 0, family]),
    [RETURN, 0, 0, FAIL_WITH | EAFNOSUPPORT],
    [RETURN, 0, 0, ALLOW],
  ];
  const checks = refused.length;
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    [JUMP_IF_EQUAL, 0, checks + 4, audit],
    [LOAD, 0, 0, CALL],
    [JUMP_IF_AT_LEAST, checks + 2, 0, end],
    [JUMP_IF_EQUAL, checks + 2, 0, socket],
    ...refused.map((call, i): Instruction => [JUMP_IF_EQUAL, checks - i, 0, call]),
    ...tail,
  ];
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [i, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    const at = i * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(operand, at + 4);
  }
  return bytes;
}
