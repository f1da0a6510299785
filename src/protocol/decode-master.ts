// What a master sent, from `unknown` to messages.
import { type MasterMessage, MessageType } from './messages.ts';
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
  versioned,
} from './shapes.ts';

const positive: Check = (value) => (typeof value === 'number' && value > 0 ? undefined : 'a number > 0');

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value) ? undefined : `one of ${allowed.join(', ')}`;

const master = versioned(
  map({
    worker: name,
    pingInterval: positive,
    socketTimeout: positive,
    maxFrameBytes: integer(Limits.frameBytes, Number.MAX_SAFE_INTEGER),
    resume: optional(map({ secret: name, window: positive, received: optional(id) })),
    maxMessageRate: optional(positive),
  }),
);

const shapes = new Map<unknown, Shape>([
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
  [MessageType.received, received],
]);

/** Decodes a master's frame. @throws FrameError, VersionError */
export const decodeMasterFrame = decoderOf<MasterMessage>(shapes);
