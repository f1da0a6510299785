// The real event loop, for the one thing that a virtual clock needs of it: that every microtask runs.
import { systemClock } from '../platform/system.ts';

/** So many times in a row the event loop does not go on; then it does, for whoever wants to stop this program. */
const TURNS = 256;

let count = 0;

/** Resolves when every microtask has run that was queued, or that one of those has queued. */
export function microtasks(): Promise<void> {
  count = (count + 1) % TURNS;
  return new Promise((resolve) => {
    if (count === 0) systemClock.soon(resolve);
    else systemClock.atRest(resolve);
  });
}
