// What is in memory when the garbage is out. For processes started with `--expose-gc`.
import { setImmediate as turn } from 'node:timers/promises';

const COLLECTIONS = 5;

export async function heapBytes(): Promise<number> {
  await collect();
  return process.memoryUsage().heapUsed;
}

/** What the whole process holds of the machine's memory. */
export async function residentBytes(): Promise<number> {
  await collect();
  return process.memoryUsage.rss();
}

/** More than once, with turns of the event loop between: what finalizers let go of goes in the next one. */
async function collect(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('Expected to be started with --expose-gc');
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc();
    await turn();
  }
}
