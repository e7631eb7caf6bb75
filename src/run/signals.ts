/**
 * Runs until a signal says to stop: SIGTERM or SIGINT stops gracefully, a second one ends at once.
 *
 * @param stop what to do before the process ends
 * @param failed resolves with the cause when it cannot go on
 * @throws that cause, after it has stopped
 */
export async function untilStopped(stop: () => Promise<void>, failed?: Promise<Error>): Promise<void> {
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const end = await (failed ? Promise.race([signalled, failed]) : signalled);
  const insist = () => process.exit(1);
  process.once('SIGTERM', insist);
  process.once('SIGINT', insist);
  process.stderr.write(`lucid: ${end instanceof Error ? end.message : end}: stopping; once more ends at once\n`);
  await stop();
  if (end instanceof Error) throw end;
}
