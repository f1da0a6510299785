// Time and chance as the system has them; the only place that asks for them.
import type { Clock, Random } from '../ports.ts';
import { platform } from './host.ts';

/** The longest delay that timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** Callbacks for after the turn, where the platform has no `setImmediate`: a message to oneself is never throttled. */
const createMessageQueue = (): ((callback: () => void) => void) => {
  const callbacks: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => callbacks.shift()?.();
  return (callback) => {
    callbacks.push(callback);
    port2.postMessage(null);
  };
};

let afterTurn: ((callback: () => void) => void) | undefined;

/**
 * In Node, ticks come before microtasks when a callback ends, and after the last of them where microtasks are under way.
 * So the first tick may be too early, and one that a microtask asks for is not.
 */
const afterMicrotasks = (callback: () => void): void =>
  process.nextTick(() => queueMicrotask(() => process.nextTick(callback)));

/** In Node, the global is a getter, which takes half as long as to read the clock, and that is read for every task. */
const { performance } = globalThis;

export const systemClock: Clock = {
  now: () => performance.now(),
  epochNow: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  soon(callback) {
    afterTurn ??= typeof setImmediate === 'function' ? setImmediate : createMessageQueue();
    afterTurn(callback);
  },
  atRest: platform === 'node' ? afterMicrotasks : (callback) => systemClock.soon(callback),
};

export const systemRandom: Random = () => Math.random();

/** 128 bits: nobody guesses that. */
const SECRET_BYTES = 16;

export function systemSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
