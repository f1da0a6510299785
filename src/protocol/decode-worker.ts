// What a worker sent, from `unknown` to messages.
import { isLabels } from '../labels.ts';
import { MessageType, type WorkerMessage } from './messages.ts';
import {
  anything,
  type Check,
  decoderOf,
  id,
  integer,
  Limits,
  map,
  name,
  optional,
  received,
  type Shape,
  text,
  versioned,
} from './shapes.ts';

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

const credit = integer(0, Limits.credit);
const prefetch: Check = (value) =>
  value === 'auto' || credit(value) === undefined ? undefined : `"auto", or an integer from 0 to ${Limits.credit}`;
const labels: Check = (value) => (isLabels(value) ? undefined : 'a map of texts, numbers and booleans');
const longText = text(Limits.textCharacters);
const isNumber: Check = (value) => (typeof value === 'number' ? undefined : 'a text or a number');

const request = map({ worker: name, secret: name, received: id });
const resume: Check = (value) => (value === true ? undefined : request(value));

const worker = versioned(
  map({
    name,
    platform: name,
    concurrency: credit,
    prefetch,
    accepts: optional(listOf(name, Limits.acceptedTypes)),
    labels: optional(labels),
    resume: optional(resume),
    token: optional(text(Limits.tokenCharacters)),
  }),
);
const error = map({ name, message: longText, stack: optional(longText), code: optional(either(name, isNumber)) });

const shapes = new Map<unknown, Shape>([
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
  [MessageType.received, received],
]);

/** Decodes a worker's frame. @throws FrameError, VersionError */
export const decodeWorkerFrame = decoderOf<WorkerMessage>(shapes);
