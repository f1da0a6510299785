// The real event loop, for the one thing that a virtual clock needs of it: a turn, in which all microtasks run.

/** Resolves in a later turn of the event loop, when every microtask has run. No timer is involved. */
export const nextTurn: () => Promise<void> = createNextTurn();

function createNextTurn(): () => Promise<void> {
  if (typeof setImmediate === 'function') return () => new Promise((resolve) => setImmediate(resolve));
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}
