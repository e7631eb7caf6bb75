/** A phase that took too long. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Waits for a phase, but not longer than `timeoutMs`.
 *
 * @param what the phase, as the subject of the error's sentence
 * @throws DeadlineError when it takes longer; what was under way goes on unheeded
 */
export async function withDeadline<T>(phase: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const message = `${what} took longer than ${timeoutMs / 1000} s`;
  const timer = setTimeout(() => late.reject(new DeadlineError(message)), timeoutMs);
  try {
    return await Promise.race([phase, late.promise]);
  } finally {
    clearTimeout(timer);
    phase.catch(() => {});
  }
}
