/**
 * A zip archive (PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16) as segments: members stored as they are,
 * since what is encrypted does not compress, without times: the same members give the same bytes.
 */
import { crc32 } from 'node:zlib';
import type { Member } from './member.ts';
import { madeSegment, type Segment } from './segment.ts';

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
/** Extra field of a member whose offset does not fit in 32 bits: id, length, offset. */
const ZIP64_EXTRA_BYTES = 12;
const ZIP64_END_BYTES = 56 + 20;
const END_BYTES = 22;
const MAX_U32 = 0xffff_ffff;
const MAX_U16 = 0xffff;
/** 4.5: zip64; 2.0: what every program reads. */
const VERSION_ZIP64 = 45;
const VERSION = 20;
/** Bit 11: names are UTF-8. */
const FLAGS = 0x0800;
/** 1980-01-01, the earliest that there is. */
const DATE = 0x0021;

/** What the central directory says of a member. */
interface Entry {
  readonly member: Member;
  readonly offset: number;
}

/**
 * The archive's segments. A member's CRC-32 stands before its bytes, so each is read twice, the second time from the
 * page cache; of members that are passed over it is made when the central directory asks for it.
 *
 * @param members the same each time it is called: once for the files, once for the central directory
 */
export async function* zipSegments(members: () => AsyncIterable<Member>): AsyncGenerator<Segment> {
  const sums = new Map<number, number>();
  const crcOf = async ({ member, offset }: Entry) => {
    const sum = sums.get(offset) ?? (await crcOfMember(member));
    sums.set(offset, sum);
    return sum;
  };

  let offset = 0;
  for await (const member of members()) {
    const entry = { member, offset };
    const header = madeSegment(localBytes(member), async () => localHeader(member, await crcOf(entry)));
    yield header;
    yield { length: member.size, read: (from) => member.read(from) };
    offset += header.length + member.size;
  }

  const start = offset;
  let count = 0;
  let at = 0;
  for await (const member of members()) {
    const entry = { member, offset: at };
    const header = madeSegment(centralBytes(entry), async () => centralHeader(entry, await crcOf(entry)));
    yield header;
    at += localBytes(member) + member.size;
    offset += header.length;
    count++;
  }
  yield endOfDirectory(count, start, offset - start);
}

async function crcOfMember(member: Member): Promise<number> {
  let sum = 0;
  for await (const piece of member.read(0)) sum = crc32(piece, sum);
  return sum;
}

function localBytes({ path }: Member): number {
  return LOCAL_HEADER_BYTES + Buffer.byteLength(path);
}

function centralBytes({ member, offset }: Entry): number {
  return CENTRAL_HEADER_BYTES + Buffer.byteLength(member.path) + (offset >= MAX_U32 ? ZIP64_EXTRA_BYTES : 0);
}

function localHeader(member: Member, crc: number): Buffer {
  const header = Buffer.alloc(localBytes(member));
  header.write('PK\x03\x04', 0, 'latin1');
  header.writeUInt16LE(VERSION, 4);
  writeCommon(header, 6, member, crc);
  header.write(member.path, LOCAL_HEADER_BYTES);
  return header;
}

function centralHeader({ member, offset }: Entry, crc: number): Buffer {
  const header = Buffer.alloc(centralBytes({ member, offset }));
  const isFar = offset >= MAX_U32;
  header.write('PK\x01\x02', 0, 'latin1');
  // Made by: 3 (Unix) in the upper byte, so that the mode counts.
  header.writeUInt16LE((3 << 8) | (isFar ? VERSION_ZIP64 : VERSION), 4);
  header.writeUInt16LE(isFar ? VERSION_ZIP64 : VERSION, 6);
  writeCommon(header, 8, member, crc);
  if (isFar) header.writeUInt16LE(ZIP64_EXTRA_BYTES, 30);
  header.writeUInt32LE((0o100644 << 16) >>> 0, 38);
  header.writeUInt32LE(Math.min(offset, MAX_U32), 42);
  const end = CENTRAL_HEADER_BYTES + header.write(member.path, CENTRAL_HEADER_BYTES);
  if (isFar) {
    header.writeUInt16LE(1, end);
    header.writeUInt16LE(8, end + 2);
    header.writeBigUInt64LE(BigInt(offset), end + 4);
  }
  return header;
}

/** Flags, method, time, date, CRC, both sizes, length of the name: the same in both headers. */
function writeCommon(header: Buffer, at: number, { path, size }: Member, crc: number): void {
  if (size >= MAX_U32) throw new RangeError(`zip: ${path} of ${size} bytes`);
  header.writeUInt16LE(FLAGS, at);
  header.writeUInt16LE(0, at + 2);
  header.writeUInt16LE(0, at + 4);
  header.writeUInt16LE(DATE, at + 6);
  header.writeUInt32LE(crc, at + 8);
  header.writeUInt32LE(size, at + 12);
  header.writeUInt32LE(size, at + 16);
  header.writeUInt16LE(Buffer.byteLength(path), at + 20);
}

function endOfDirectory(count: number, start: number, bytes: number): Segment {
  const isLarge = count >= MAX_U16 || start >= MAX_U32 || bytes >= MAX_U32;
  return madeSegment((isLarge ? ZIP64_END_BYTES : 0) + END_BYTES, () => {
    const end = Buffer.alloc(END_BYTES);
    end.write('PK\x05\x06', 0, 'latin1');
    end.writeUInt16LE(Math.min(count, MAX_U16), 8);
    end.writeUInt16LE(Math.min(count, MAX_U16), 10);
    end.writeUInt32LE(Math.min(bytes, MAX_U32), 12);
    end.writeUInt32LE(Math.min(start, MAX_U32), 16);
    return isLarge ? Buffer.concat([zip64End(count, start, bytes), end]) : end;
  });
}

/** The zip64 end of central directory record, and its locator. */
function zip64End(count: number, start: number, bytes: number): Buffer {
  const end = Buffer.alloc(ZIP64_END_BYTES);
  end.write('PK\x06\x06', 0, 'latin1');
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE((3 << 8) | VERSION_ZIP64, 12);
  end.writeUInt16LE(VERSION_ZIP64, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.write('PK\x06\x07', 56, 'latin1');
  end.writeBigUInt64LE(BigInt(start + bytes), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
