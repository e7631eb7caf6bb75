/** Why there is no video, in words for whoever asked for it. */
export class RenderError extends Error {
  override readonly name: string = 'RenderError';
}

/** FFmpeg ended before its time. */
export class FfmpegError extends RenderError {
  override readonly name = 'FfmpegError';
  /** What it said last, one line each; may be empty. */
  readonly lastLines: readonly string[];

  /** @param what how it ended */
  constructor(what: string, lastLines: readonly string[]) {
    super([what, ...lastLines].join('\n  '));
    this.lastLines = lastLines;
  }

  /** Whether the place that the video goes to is at fault, so that another encoder would fare no better. */
  get isAboutOutput(): boolean {
    return this.lastLines.some((line) => /No space left|Disk quota exceeded|Read-only file system/.test(line));
  }
}
