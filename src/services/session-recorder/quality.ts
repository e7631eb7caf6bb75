/** How good a recording is, and what is wrong with it in words. */
import type { RecordingQuality } from '#contract/session-recorder.ts';

export type Figures = Omit<RecordingQuality, 'problems'>;

/** Bytes that no decoder could read, of all of server PDUs: 0 to 1. */
export function undecodableShare({ decoded_bytes, undecodable_bytes }: Figures): number {
  const all = decoded_bytes + undecodable_bytes;
  return all === 0 ? 0 : undecodable_bytes / all;
}

/** @param limit the greatest undecodable share that is no problem, 0 to 1 */
export function judge(figures: Figures, limit: number): RecordingQuality {
  const { gaps, missing_records: missing } = figures;
  const share = undecodableShare(figures);
  const problems: string[] = [];
  if (share > limit) {
    const percent = (value: number) => `${Number((value * 100).toPrecision(2))} %`;
    problems.push(`${percent(share)} of the screen could not be decoded; up to ${percent(limit)} is no problem`);
  }
  if (gaps > 0) {
    const records = missing === 1 ? '1 record is missing' : `${missing || 'some'} records are missing`;
    problems.push(`${records} in ${gaps === 1 ? '1 gap' : `${gaps} gaps`}`);
  }
  return { ...figures, problems };
}
