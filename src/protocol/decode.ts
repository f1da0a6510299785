// What a peer sent, from `unknown` to messages: the one validator of all that comes in.
import { isLabels } from '../labels.ts';
import { type MasterMessage, MessageType, PROTOCOL_VERSION, type WorkerMessage } from './messages.ts';

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
  /** The least that a side must take as a frame. */
  frameBytes: 65_536,
} as const;

/** Says what a value should have been; undefined if it is. */
type Check = (value: unknown) => string | undefined;

/** A message's name and its fields, in their order. */
interface Shape {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, check: Check])[];
  /** How many of the fields there must be, the first ones. All, if absent. */
  readonly required?: number;
}

const anything: Check = () => undefined;

const integer =
  (min: number, max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `an integer from ${min} to ${max}`;

const text =
  (maxCharacters: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxCharacters
      ? undefined
      : `a text of at most ${maxCharacters} characters`;

const positive: Check = (value) => (typeof value === 'number' && value > 0 ? undefined : 'a number > 0');

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value) ? undefined : `one of ${allowed.join(', ')}`;

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

const listOf =
  (check: Check, maxLength: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= maxLength && value.every((item) => check(item) === undefined)
      ? undefined
      : `a list of at most ${maxLength} texts`;

const either =
  (first: Check, second: Check): Check =>
  (value) =>
    first(value) === undefined ? undefined : second(value);

/** A map with at least these keys; others are for later versions to add. */
const map = (checks: Readonly<Record<string, Check>>): Check => {
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
const versioned =
  (check: Check): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return check(value);
    const version: unknown = Reflect.get(value, 'version');
    if (version === PROTOCOL_VERSION) return check(value);
    throw new VersionError(typeof version === 'number' ? `version ${version}` : 'an unknown version');
  };

const id = integer(0, Number.MAX_SAFE_INTEGER);
const credit = integer(0, Limits.credit);
const prefetch: Check = (value) =>
  value === 'auto' || credit(value) === undefined ? undefined : `"auto", or an integer from 0 to ${Limits.credit}`;
const labels: Check = (value) => (isLabels(value) ? undefined : 'a map of texts, numbers and booleans');
const name = text(Limits.nameCharacters);
const longText = text(Limits.textCharacters);
const isNumber: Check = (value) => (typeof value === 'number' ? undefined : 'a text or a number');

const worker = versioned(
  map({
    name,
    platform: name,
    concurrency: credit,
    prefetch,
    accepts: optional(listOf(name, Limits.acceptedTypes)),
    labels: optional(labels),
  }),
);
const master = versioned(
  map({
    worker: name,
    pingInterval: positive,
    socketTimeout: positive,
    maxFrameBytes: integer(Limits.frameBytes, Number.MAX_SAFE_INTEGER),
  }),
);
const error = map({ name, message: longText, stack: optional(longText), code: optional(either(name, isNumber)) });

const workerShapes = new Map<unknown, Shape>([
  [MessageType.hello, { name: 'hello', fields: [['worker', worker]] }],
  [
    MessageType.done,
    {
      name: 'done',
      fields: [
        ['lease', id],
        ['result', anything],
      ],
    },
  ],
  [
    MessageType.failed,
    {
      name: 'failed',
      fields: [
        ['lease', id],
        ['error', error],
      ],
    },
  ],
  [
    MessageType.rejected,
    {
      name: 'rejected',
      fields: [
        ['lease', id],
        ['reason', longText],
      ],
    },
  ],
  [MessageType.released, { name: 'released', fields: [['lease', id]] }],
  [
    MessageType.credit,
    {
      name: 'credit',
      fields: [
        ['concurrency', credit],
        ['prefetch', prefetch],
        ['running', optional(credit)],
      ],
      required: 2,
    },
  ],
  [
    MessageType.pong,
    {
      name: 'pong',
      fields: [
        ['nonce', id],
        ['held', optional(id)],
      ],
      required: 1,
    },
  ],
  [
    MessageType.progress,
    {
      name: 'progress',
      fields: [
        ['lease', id],
        ['value', anything],
      ],
    },
  ],
]);

const masterShapes = new Map<unknown, Shape>([
  [MessageType.welcome, { name: 'welcome', fields: [['master', master]] }],
  [
    MessageType.grant,
    {
      name: 'grant',
      fields: [
        ['lease', id],
        ['attempt', id],
        ['key', name],
        ['task', anything],
      ],
    },
  ],
  [
    MessageType.cancel,
    {
      name: 'cancel',
      fields: [
        ['lease', id],
        ['reason', oneOf('aborted', 'timeout', 'superseded', 'recalled')],
      ],
    },
  ],
  [MessageType.ping, { name: 'ping', fields: [['nonce', id]] }],
  [MessageType.recall, { name: 'recall', fields: [['lease', id]] }],
]);

/** Decodes what a worker sent. @throws FrameError, VersionError */
export function decodeWorkerFrame(value: unknown): readonly WorkerMessage[] {
  return decodeFrame(value, isWorkerMessage, workerShapes);
}

/** Decodes what a master sent. @throws FrameError, VersionError */
export function decodeMasterFrame(value: unknown): readonly MasterMessage[] {
  return decodeFrame(value, isMasterMessage, masterShapes);
}

const isWorkerMessage = (message: unknown): message is WorkerMessage => problemOf(message, workerShapes) === undefined;
const isMasterMessage = (message: unknown): message is MasterMessage => problemOf(message, masterShapes) === undefined;

function decodeFrame<M>(
  value: unknown,
  isMessage: (message: unknown) => message is M,
  shapes: ReadonlyMap<unknown, Shape>,
): readonly M[] {
  if (!Array.isArray(value)) throw new FrameError('A frame must be an array of messages');
  const messages: readonly unknown[] = value;
  if (messages.every(isMessage)) return messages;
  const index = messages.findIndex((message) => !isMessage(message));
  throw new FrameError(`Message ${index}: ${problemOf(messages[index], shapes)}`);
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
