// How both commands of the demo end: on a signal they let the tiles that run be finished, on a second one at once.

/** How long tiles that run may take. */
const GRACE_MS = 3000;

/** And how long all that follows may, before it is cut short. */
const FAREWELL_MS = 1500;

/** Ends the process when `drain` has resolved: with code 0, as being asked to stop is no failure. */
export function drainOnSignal(drain: (graceMs: number) => Promise<void>): void {
  let isDraining = false;
  const begin = () => {
    if (isDraining) {
      return;
    }
    isDraining = true;
    setTimeout(() => process.exit(1), GRACE_MS + FAREWELL_MS).unref();
    drain(GRACE_MS).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  const onSignal = () => {
    if (isDraining) {
      process.exit(1);
    }
    begin();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A process that another has forked has nothing to do without it.
  if (process.channel) {
    process.on('disconnect', begin);
  }
}
