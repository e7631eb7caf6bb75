/** What every step of the demo gives: a value for the steps after it, and a few words for the reader. */
export interface DemoStepWork<T> {
  value: T;
  result: string;
}

export function kilobytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
