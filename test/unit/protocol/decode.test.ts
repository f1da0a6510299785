import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import {
  decodeMasterFrame,
  decodeWorkerFrame,
  FrameError,
  Limits,
  VersionError,
} from '../../../src/protocol/decode.ts';

const hello = { version: 1, name: 'n', platform: 'p', concurrency: 1, prefetch: 0 };
const welcome = { version: 1, worker: 'w1', pingInterval: 1, socketTimeout: 3, maxFrameBytes: 65_536 };
const error = { name: 'Error', message: 'm' };
const text = (length: number): string => 'x'.repeat(length);
const { textCharacters, nameCharacters, acceptedTypes, tokenCharacters, credit } = Limits;

/** What no message holds where a lease, an attempt or a nonce belongs. */
const notIds = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1n, '1', null, undefined, [], {}];

const validOfWorkers: readonly unknown[] = [
  [0, hello],
  [0, { ...hello, name: '', accepts: [] }],
  [
    0,
    { ...hello, name: text(nameCharacters), platform: text(nameCharacters), accepts: Array(acceptedTypes).fill('t') },
  ],
  [0, { ...hello, concurrency: credit, prefetch: credit, somethingNew: true }],
  [0, { ...hello, prefetch: 'auto', labels: { gpu: true, memory: 8, region: 'eu' } }],
  [0, { ...hello, labels: {} }],
  [0, { ...hello, token: '' }],
  [0, { ...hello, token: text(tokenCharacters) }],
  [5, 0, undefined],
  [5, Number.MAX_SAFE_INTEGER, { any: ['thing'] }],
  [6, 1, error],
  [6, 1, { ...error, message: text(textCharacters), stack: text(textCharacters), code: text(nameCharacters) }],
  [6, 1, { ...error, code: 404, more: 1 }],
  [7, 1, text(textCharacters)],
  [8, 1],
  [9, 0, 0, 0],
  [9, credit, credit, credit],
  [9, 1, 'auto', 2],
  [10, 0, 0],
  [12, 1, undefined],
  [12, 1, { done: 0.5 }],
  [13, 0],
  [0, { ...hello, resume: true }],
  [0, { ...hello, resume: { worker: 'w1', secret: text(nameCharacters), received: 0, more: 1 } }],
];

/** As clients say it that know of fewer fields. */
const shorterOfWorkers: readonly unknown[] = [
  [9, 1, 1],
  [9, 1, 'auto', undefined],
];

const validOfMasters: readonly unknown[] = [
  [1, welcome],
  [1, { ...welcome, more: 1 }],
  [1, { ...welcome, resume: { secret: 's', window: 5000 } }],
  [1, { ...welcome, resume: { secret: 's', window: 0.5, received: 7 } }],
  [13, 7],
  [1, { ...welcome, maxMessageRate: 0.5 }],
  [2, 1, 1, text(nameCharacters), undefined],
  [3, 1, 'aborted'],
  [3, 1, 'timeout'],
  [3, 1, 'superseded'],
  [3, 1, 'recalled'],
  [4, 0],
  [11, 1],
];

/** Both say `received`. */
const isOfOneSide = (message: unknown): boolean => Array.isArray(message) && message[0] !== 13;

const invalidOfWorkers: readonly (readonly [string, readonly unknown[]])[] = [
  [
    'what is not a message',
    [undefined, null, 0, 'x', {}, [], [[]], { 0: 8, 1: 1, length: 2 }, [-1, 1], [14, 1], ['8', 1]],
  ],
  ['a hello that is too short', [[0]]],
  [
    'a hello without a description',
    [
      [0, null],
      [0, []],
      [0, 'x'],
      [0, 1],
    ],
  ],
  ['a name', [undefined, 1, text(nameCharacters + 1)].map((name) => [0, { ...hello, name }])],
  ['a token', [null, 1, ['x'], text(tokenCharacters + 1)].map((token) => [0, { ...hello, token }])],
  ['a platform', [undefined, 1, text(nameCharacters + 1)].map((platform) => [0, { ...hello, platform }])],
  ['a concurrency', [...notIds, credit + 1].map((concurrency) => [0, { ...hello, concurrency }])],
  ['a prefetch', [...notIds, credit + 1, 'Auto'].map((prefetch) => [0, { ...hello, prefetch }])],
  [
    'accepted types',
    [null, 'x', {}, [1], [text(nameCharacters + 1)], Array(acceptedTypes + 1).fill('t')].map((accepts) => [
      0,
      { ...hello, accepts },
    ]),
  ],
  [
    'labels',
    [null, 1, [], ['gpu'], { gpu: null }, { gpu: {} }, { memory: Number.NaN }, { region: text(257) }].map((labels) => [
      0,
      { ...hello, labels },
    ]),
  ],
  [
    'what a session is resumed by',
    [
      ...[null, false, 1, 'w1', [], {}].map((resume) => [0, { ...hello, resume }]),
      ...[{ worker: 1 }, { secret: text(nameCharacters + 1) }, { secret: undefined }, { received: -1 }].map((wrong) => [
        0,
        { ...hello, resume: { worker: 'w1', secret: 's', received: 0, ...wrong } },
      ]),
    ],
  ],
  ['a received', [[13], ...notIds.map((id) => [13, id])]],
  ['a done', [[5], [5, 1], ...notIds.map((id) => [5, id, 1])]],
  ['a failed', [[6, 1], ...notIds.map((id) => [6, id, error])]],
  [
    'an error',
    [
      null,
      [],
      'x',
      {},
      { name: 'n' },
      { message: 'm' },
      { ...error, name: 1 },
      { ...error, name: text(nameCharacters + 1) },
      { ...error, message: text(textCharacters + 1) },
      { ...error, stack: text(textCharacters + 1) },
      { ...error, stack: null },
      { ...error, code: text(nameCharacters + 1) },
      { ...error, code: null },
      { ...error, code: {} },
    ].map((each) => [6, 1, each]),
  ],
  ['a rejected', [[7, 1], [7, 1, 1], [7, 1, text(textCharacters + 1)], ...notIds.map((id) => [7, id, 'x'])]],
  ['a released', [[8], ...notIds.map((id) => [8, id])]],
  [
    'a credit',
    [
      [9, 1],
      ...[...notIds, credit + 1].flatMap((id) => [
        [9, id, 1],
        [9, 1, id],
      ]),
      ...[...notIds, credit + 1].filter((id) => id !== undefined).map((id) => [9, 1, 1, id]),
    ],
  ],
  ['a progress', [[12], [12, 1], ...notIds.map((id) => [12, id, 1])]],
  [
    'a pong',
    [[10], ...notIds.map((id) => [10, id]), ...notIds.filter((id) => id !== undefined).map((id) => [10, 1, id])],
  ],
  ['what only a master says', validOfMasters.filter(isOfOneSide)],
];

const invalidOfMasters: readonly (readonly [string, readonly unknown[]])[] = [
  ['what is not a message', [undefined, null, 0, 'x', {}, [], [[]], [-1, 1], [14, 1], ['4', 1]]],
  ['a welcome that is too short', [[1]]],
  [
    'a welcome without a description',
    [
      [1, null],
      [1, []],
      [1, 'x'],
    ],
  ],
  ['an id', [undefined, 1, text(nameCharacters + 1)].map((worker) => [1, { ...welcome, worker }])],
  [
    'a limit',
    [undefined, null, 0, -1, Number.NaN, '1', 1n].flatMap((limit) => [
      [1, { ...welcome, pingInterval: limit }],
      [1, { ...welcome, socketTimeout: limit }],
      [1, { ...welcome, maxFrameBytes: limit }],
      ...(limit === undefined ? [] : [[1, { ...welcome, maxMessageRate: limit }]]),
    ]),
  ],
  ['a limit too small for an error', [[1, { ...welcome, maxFrameBytes: 65_535 }]]],
  ['a grant that is too short', [[2], [2, 1, 1, 'k']]],
  [
    'a grant',
    notIds.flatMap((id) => [
      [2, id, 1, 'k', 1],
      [2, 1, id, 'k', 1],
    ]),
  ],
  [
    'a key',
    [
      [2, 1, 1, 1, 1],
      [2, 1, 1, text(nameCharacters + 1), 1],
    ],
  ],
  ['a cancel', [[3, 1], [3, 1, 'other'], [3, 1, null], ...notIds.map((id) => [3, id, 'aborted'])]],
  ['a recall', [[11], ...notIds.map((id) => [11, id])]],
  ['a ping', [[4], ...notIds.map((id) => [4, id])]],
  ['what only a worker says', validOfWorkers.filter(isOfOneSide)],
];

describe.each([
  {
    side: 'worker',
    decode: decodeWorkerFrame,
    valid: validOfWorkers,
    shorter: shorterOfWorkers,
    invalid: invalidOfWorkers,
    good: [8, 1],
  },
  {
    side: 'master',
    decode: decodeMasterFrame,
    valid: validOfMasters,
    shorter: [],
    invalid: invalidOfMasters,
    good: [4, 1],
  },
])('what a $side sent', ({ decode, valid, shorter, invalid, good }) => {
  it('is taken if it is what the protocol says', () => {
    for (const message of valid) expect(decode([message])).toEqual([message]);
    expect(decode(valid)).toEqual(valid);
  });

  it('may be shorter, where there were fewer fields once', () => {
    for (const message of shorter) expect(decode([message])).toEqual([message]);
  });

  it('may be a frame without messages', () => {
    expect(decode([])).toEqual([]);
  });

  it.each(invalid)('is refused where it is wrong: %s', (_, messages) => {
    for (const message of messages)
      expect(() => decode([message]), JSON.stringify(String(message))).toThrow(FrameError);
  });

  it('is refused as a whole if a single message of it is wrong, and told which', () => {
    expect(() => decode([good, good, ['wrong'], good])).toThrow(new FrameError('Message 2: its type is unknown'));
    expect(() => decode([good, 'wrong'])).toThrow(new FrameError('Message 1: it must be an array'));
  });

  it('may have fields that this version does not know', () => {
    for (const message of valid.filter((each) => Array.isArray(each))) {
      const longer = [...message, { somethingNew: true }];
      expect(decode([longer])).toEqual([longer]);
    }
  });

  it.each([undefined, null, 1, 'text', {}, { length: 1, 0: good }, new Map(), new Uint8Array(1)])(
    'is refused if it is no array: %s',
    (value) => {
      expect(() => decode(value)).toThrow(new FrameError('A frame must be an array of messages'));
    },
  );
});

describe('the reason of a refusal', () => {
  it.each<[unknown, string]>([
    [[5, -1, 1], 'done: `lease` must be an integer from 0 to 9007199254740991'],
    [[5, 1], 'done: it has too few fields'],
    [[7, 1, 2], 'rejected: `reason` must be a text of at most 16384 characters'],
    [[9, 1], 'credit: `prefetch` must be "auto", or an integer from 0 to 65536'],
    [[9, 1, 1, -1], 'credit: `running` must be an integer from 0 to 65536'],
    [[9, 1, 70_000], 'credit: `prefetch` must be "auto", or an integer from 0 to 65536'],
    [[0, { ...hello, name: 1 }], 'hello: `worker` must be a map whose `name` is a text of at most 256 characters'],
    [[0, 'x'], 'hello: `worker` must be a map'],
    [[6, 1, { ...error, code: {} }], 'failed: `error` must be a map whose `code` is a text or a number'],
  ])('names the field and what it should be: %j', (message, reason) => {
    expect(() => decodeWorkerFrame([message])).toThrow(new FrameError(`Message 0: ${reason}`));
  });
});

describe('a description of another version', () => {
  it.each([
    [2, 'version 2'],
    [0, 'version 0'],
    [1.5, 'version 1.5'],
    ['1', 'an unknown version'],
    [undefined, 'an unknown version'],
  ])('is told from a malformed one, whatever else it holds: %s', (version, what) => {
    for (const rest of [{}, hello, welcome, { name: 1, worker: 1 }]) {
      expect(() => decodeWorkerFrame([[0, { ...rest, version }]])).toThrow(new VersionError(what));
      expect(() => decodeMasterFrame([[1, { ...rest, version }]])).toThrow(new VersionError(what));
    }
  });
});

describe('a frame of the other kind', () => {
  it('is refused: text where MessagePack was agreed on', () => {
    for (const frame of ['[[8,1]]', '', undefined, null, 5, {}, [Uint8Array.of(0x90)]]) {
      expect(() => codecs.msgpack.read(frame)).toThrow(TypeError);
    }
  });

  it('is refused: bytes where JSON was agreed on', () => {
    const bytes = new TextEncoder().encode('[[8,1]]');
    for (const frame of [bytes, bytes.buffer, undefined, null, 5, ['[]']]) {
      expect(() => codecs.json.read(frame)).toThrow(TypeError);
    }
  });
});
