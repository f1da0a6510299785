// What is still alive. Needs a garbage collector that can be called, which Node has.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nextTurn } from './event-loop.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** How many of these are still there, after all that can go has gone. */
export async function countAlive(references: readonly WeakRef<object>[]): Promise<number> {
  // What a WeakRef was asked for in this turn lives until its end.
  await nextTurn();
  collectGarbage();
  return references.filter((reference) => reference.deref() !== undefined).length;
}
