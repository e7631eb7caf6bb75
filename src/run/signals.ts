/**
 * Runs until a signal says to stop: SIGTERM or SIGINT stops gracefully, a second one ends at once.
 *
 * @param stop what to do before the process ends
 */
export async function untilStopped(stop: () => Promise<void>): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const insist = () => process.exit(1);
  process.once('SIGTERM', insist);
  process.once('SIGINT', insist);
  process.stderr.write(`lucid: ${signal}: stopping; once more ends at once\n`);
  await stop();
}
