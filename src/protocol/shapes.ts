// What messages are made of: the checks of their fields, and a decoder for those of one direction.
import { PROTOCOL_VERSION } from './messages.ts';

/** The frame is not one of the protocol; the connection ends with this reason. */
export class FrameError extends Error {
  override get name(): string {
    return 'FrameError';
  }
}

/** The peer speaks another version, so that nothing else it says can be judged. */
export class VersionError extends Error {
  override get name(): string {
    return 'VersionError';
  }
}

/** What the protocol allows; docs/protocol.md has the same numbers. */
export const Limits = {
  nameCharacters: 256,
  textCharacters: 16_384,
  /** No worker has so many cores; what is beyond is a mistake or an attack. */
  credit: 65_536,
  acceptedTypes: 1024,
  /** Of all accepted types together, so that a hello fits into any frame, whatever JSON makes of its characters. */
  acceptedCharacters: 8192,
  tokenCharacters: 8192,
  /** So many bytes that nobody asked for may come for each message that may: they cost about as much to read. */
  unaskedBytes: 256,
  /** The least that a side must take as a frame. */
  frameBytes: 65_536,
} as const;

/** Says what a value should have been; undefined if it is. */
export type Check = (value: unknown) => string | undefined;

/** A message's name and its fields, in their order. */
export interface Shape {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, check: Check])[];
  /** How many of the fields there must be, the first ones. All, if absent. */
  readonly required?: number;
}

export const anything: Check = () => undefined;

export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

export const integer =
  (min: number, max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `an integer from ${min} to ${max}`;

export const text =
  (maxCharacters: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxCharacters
      ? undefined
      : `a text of at most ${maxCharacters} characters`;

/** A map with at least these keys; others are for later versions to add. */
export const map = (checks: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(checks);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a map';
    for (const [key, check] of entries) {
      const problem = check(Reflect.get(value, key));
      if (problem !== undefined) return `a map whose \`${key}\` is ${problem}`;
    }
    return undefined;
  };
};

/** Checked before all else, which another version may spell differently. @throws VersionError */
export const versioned =
  (check: Check): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return check(value);
    const version: unknown = Reflect.get(value, 'version');
    if (version === PROTOCOL_VERSION) return check(value);
    throw new VersionError(typeof version === 'number' ? `version ${version}` : 'an unknown version');
  };

export const id = integer(0, Number.MAX_SAFE_INTEGER);
export const name = text(Limits.nameCharacters);

/** The message that both sides send. */
export const received: Shape = { name: 'received', fields: [['frames', id]] };

/** Decodes frames of messages that have these shapes. What it returns throws a FrameError, or a VersionError. */
export function decoderOf<M>(shapes: ReadonlyMap<unknown, Shape>): (value: unknown) => readonly M[] {
  const isMessage = (message: unknown): message is M => problemOf(message, shapes) === undefined;
  return (value) => {
    if (!Array.isArray(value)) throw new FrameError('A frame must be an array of messages');
    const messages: readonly unknown[] = value;
    if (messages.every(isMessage)) return messages;
    const index = messages.findIndex((message) => !isMessage(message));
    throw new FrameError(`Message ${index}: ${problemOf(messages[index], shapes)}`);
  };
}

/** What is wrong with a message; undefined if nothing is. Fields beyond the known ones are for later versions to add. */
function problemOf(message: unknown, shapes: ReadonlyMap<unknown, Shape>): string | undefined {
  if (!Array.isArray(message)) return 'it must be an array';
  const shape = shapes.get(message[0]);
  if (shape === undefined) return 'its type is unknown';
  // Counted by hand: this runs for every message.
  let index = 0;
  for (const field of shape.fields) {
    index += 1;
    const problem = field[1](message[index]);
    if (problem !== undefined) return `${shape.name}: \`${field[0]}\` must be ${problem}`;
  }
  return message.length > (shape.required ?? index) ? undefined : `${shape.name}: it has too few fields`;
}
