/** What a recording says of itself to be missing. */
import { CLOSE_PATH } from '#evidence/bundle-layout.ts';
import { parseEntry } from '#evidence/entry.ts';
import { type BundleReader, MAX_SMALL_FILE_BYTES } from '#evidence/node/bundle-reader.ts';
import { parseNote } from '#evidence/note.ts';
import { RecordType } from '#evidence/record.ts';
import { type MarkerBody, readMarkerBody } from '#evidence/record-body.ts';
import { gapWords } from '#render/marker-words.ts';

/**
 * Gaps of which something may have been missing by a time: none of that is in a picture of it.
 *
 * @param time µs of the session's clock
 * @returns a sentence each
 * @throws FormatError when the recording cannot be read
 */
export function gapsBefore(reader: BundleReader, time: number): string[] {
  if (isWhole(reader)) return [];
  const gaps: MarkerBody[] = [];
  for (const { record } of reader.records(['screen'])) {
    if (record.type !== RecordType.marker) continue;
    const marker = readMarkerBody(record.body);
    if (marker.kind === 'gap' && (marker.from ?? 0) <= time) gaps.push(marker);
  }
  return gaps.map((gap) => `${gapWords(gap)}${gap.detail ? `: ${gap.detail}` : ''}`);
}

/** Whether the close entry says that there is no gap: then nothing need be read. */
function isWhole({ source }: BundleReader): boolean {
  if (!source.has(CLOSE_PATH)) return false;
  const entry = parseEntry(parseNote(source.read(CLOSE_PATH, MAX_SMALL_FILE_BYTES)).text);
  return entry.kind === 'lucid/close/v1' && entry.gaps === 0;
}
