// What this program runs in: its kind, a name for it, and its cores.

const isNode = typeof process === 'object' && typeof process.versions?.node === 'string';

/** `node` or `browser`. */
export const platform: 'node' | 'browser' = isNode ? 'node' : 'browser';

/** A name to tell workers apart by, where the user gave none. */
export const defaultName: string = isNode ? `node-${process.pid}` : 'browser';

/** How many threads can run at once, at least 1. */
export function availableCores(): number {
  // Not an import, which a bundle for the browser could not resolve.
  if (isNode) return process.getBuiltinModule('os').availableParallelism();
  return Math.max(1, navigator.hardwareConcurrency ?? 1);
}
