// How many hostile frames the fuzzers send, and what is said of one that does harm.
import { afterAll, beforeAll } from 'vitest';
import type { Frame } from '../../src/ports.ts';
import { show } from '../support/frames.ts';

/** Enough for each run of the tests; `npm run fuzz -- --frames 10000000` sends more. */
const USUAL_FRAMES = 100_000;

/** How many frames all fuzzers send together. */
export const FRAMES = Number(process.env['TASKDIST_FUZZ_FRAMES'] ?? USUAL_FRAMES);

/** Where chance begins. */
export const SEED = Number(process.env['TASKDIST_FUZZ_SEED'] ?? 1);

/** Most frames end in an error, and what takes longest of that is its stack, which nobody looks at. */
export function leaveOutStacks(): void {
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

/** Does something with a frame, and names the frame if that goes wrong. */
export function withFrame(index: number, frame: Frame, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const what = typeof frame === 'string' ? JSON.stringify(frame) : show(frame);
    throw new Error(`Frame ${index} of seed ${SEED} does harm: ${what}`, { cause });
  }
}

/** What every object has. Whoever can add to it can change any program. */
export function prototypeKeys(): string[] {
  return [
    Object.prototype,
    Array.prototype,
    Function.prototype,
    Error.prototype,
    Set.prototype,
    Date.prototype,
  ].flatMap((prototype) => Reflect.ownKeys(prototype).map(String));
}
