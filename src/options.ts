// Checks of arguments at the door: each names the option and the value it got.
import { InvalidOptionError } from './errors.ts';
import { type Logger, silentLogger } from './ports.ts';

/** Options that are all there: what may be left out, or undefined, has its default. */
export type Complete<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> };

/** Throws an {@link InvalidOptionError} that names the option, what it should be, and what it is. */
export function refuse(name: string, expected: string, value: unknown): never {
  throw new InvalidOptionError(`Expected \`${name}\` to be ${expected}, got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** Refuses what is not an object, so that the options inside can be read. */
export function expectObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) refuse(name, 'an object', value);
}

/** Refuses option names that do not exist, so that a misspelt one is not silently ignored. */
export function expectKnown(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InvalidOptionError(`Unknown option \`${name}\` for ${owner}; the options are ${known.join(', ')}`);
    }
  }
}

/** Refuses what is not an integer in the range. */
export function expectInteger(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  refuse(name, max === Number.MAX_SAFE_INTEGER ? `an integer ≥ ${min}` : `an integer from ${min} to ${max}`, value);
}

/** Refuses what is not an integer in the range, or Infinity. */
export function expectCount(name: string, value: unknown, min: number): void {
  if (value === Number.POSITIVE_INFINITY) return;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min) return;
  refuse(name, `an integer ≥ ${min} or Infinity`, value);
}

/** Refuses what is not a number of milliseconds ≥ `min`; Infinity is allowed where it means "never". */
export function expectMilliseconds(name: string, value: unknown, min: number, mayBeInfinite: boolean): void {
  if (typeof value === 'number' && value >= min && (mayBeInfinite || Number.isFinite(value))) return;
  refuse(name, `a number of milliseconds ≥ ${min}${mayBeInfinite ? ' or Infinity' : ''}`, value);
}

/** Refuses what is not a string of the given length. */
export function expectString(name: string, value: unknown, maxLength: number): void {
  if (typeof value === 'string' && value.length > 0 && value.length <= maxLength) return;
  refuse(name, `a string of 1 to ${maxLength} characters`, value);
}

/** Refuses what is not an AbortSignal. Asks for what is needed, not for the class: a signal may be of another realm. */
export function expectSignal(name: string, value: unknown): void {
  const isSignal =
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value &&
    'removeEventListener' in value;
  if (!isSignal) refuse(name, 'an AbortSignal', value);
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** What ends a line, or tells a terminal something, or turns the direction of writing round. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** On one line, whatever peers call themselves, or give as their reasons: or they could write lines into a log. */
function printable(message: string): string {
  return message.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Refuses what is not a logger. Returns one that never throws, as what it writes to is not the library's business, and whose
 * messages have one line each.
 */
export function checkLogger(name: string, logger: Logger): Logger {
  if (logger === silentLogger) return logger;
  expectObject(name, logger);
  for (const level of logLevels) {
    if (typeof logger[level] !== 'function') refuse(`${name}.${level}`, 'a function', logger[level]);
  }
  const write =
    (level: (typeof logLevels)[number]) =>
    (message: string, ...details: unknown[]): void => {
      try {
        logger[level](printable(message), ...details);
      } catch {
        // Nowhere to say so.
      }
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
