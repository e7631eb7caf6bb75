/** A desktop that cannot be started, reached or stopped: the message is for operators and says what to do. */
export class DesktopError extends Error {
  override readonly name = 'DesktopError';
}
