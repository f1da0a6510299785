// What is still alive. Needs a garbage collector that can be called, which Node has.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nextTurn } from './event-loop.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** How often to collect: a compiler in the background holds on to what it compiles, for a moment. */
const MAX_COLLECTIONS = 20;

/** How many of these are still there, after all that can go has gone. */
export async function countAlive(references: readonly WeakRef<object>[]): Promise<number> {
  let alive = references.length;
  for (let n = 0; n < MAX_COLLECTIONS && alive > 0; n += 1) {
    // What a WeakRef was asked for in this turn lives until its end.
    await nextTurn();
    collectGarbage();
    alive = references.filter((reference) => reference.deref() !== undefined).length;
  }
  return alive;
}
