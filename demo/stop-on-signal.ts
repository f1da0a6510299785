// How both commands of the demo end: on a signal they stop properly, on a second one at once.

/** A stop that takes longer than this is cut short. */
const STOP_MS = 5000;

/** Ends the process when `stop` has resolved: with code 0, as being asked to stop is no failure. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  const onSignal = () => {
    if (isStopping) {
      process.exit(1);
    }
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A process that another has forked has nothing to do without it.
  if (process.channel) {
    process.on('disconnect', onSignal);
  }
}
