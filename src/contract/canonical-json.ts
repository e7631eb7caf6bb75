/**
 * One spelling for a value as JSON, so that equal values have equal hashes: RFC 8785 for null, booleans, strings,
 * whole numbers, arrays and objects. Object members are sorted by UTF-16 code units; members that are undefined are
 * left out.
 *
 * @throws TypeError naming what cannot be written: fractions, functions, bigints
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(
    `canonical JSON: ${typeof value} ${String(value)} cannot be written, wanted whole numbers and text`,
  );
}
