/** Times and spans as people read them. */

/** µs of the session's clock as hours, minutes and seconds. */
export function clock(time: number): string {
  const seconds = Math.floor(time / 1e6);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** µs as a span: the two greatest units. */
export function span(time: number): string {
  const seconds = Math.round(time / 1e6);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
