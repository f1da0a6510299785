// Values that look like objects and are not data.
import { describe, expect, it } from 'vitest';
import { type CodecName, codecs } from '../../../src/protocol/codec.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { encode, roundTrip } from '../../support/frames.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done, failed } = MessageType;

class Later extends Promise<unknown> {}
class Notes extends WeakMap<object, unknown> {}

const sharedMemory: [string, () => object] = ['SharedArrayBuffer', () => new SharedArrayBuffer(8)];

const unsendable: [string, () => object][] = [
  ['Promise', () => Promise.resolve(1)],
  ['Promise', () => (async () => 1)()],
  ['Later', () => Later.resolve(1)],
  ['WeakMap', () => new WeakMap()],
  ['Notes', () => new Notes()],
  ['WeakSet', () => new WeakSet()],
  ['WeakRef', () => new WeakRef({})],
  ['RegExp', () => /a/g],
  // Not in every page of a browser.
  ...(typeof SharedArrayBuffer === 'undefined' ? [] : [sharedMemory]),
];

const nestings: [string, (value: object) => unknown][] = [
  ['by itself', (value) => value],
  ['in an object', (value) => ({ a: { b: value } })],
  ['in an array', (value) => [1, [value]]],
  ['in a Map', (value) => new Map([['a', value]])],
  ['in a Set', (value) => new Set([value])],
];

const codecNames: CodecName[] = ['msgpack', 'json'];

describe.each(codecNames)('the codec %s', (name) => {
  it.each(unsendable)('refuses a %s, wherever it stands', (kind, create) => {
    for (const [_where, nest] of nestings) {
      const value = nest(create());
      for (const message of [
        [grant, 1, 1, 'a', value],
        [done, 1, value],
      ] as const) {
        expect(() => encode(codecs[name], [message])).toThrow(
          expect.objectContaining({
            code: 'TASKDIST_NOT_SERIALIZABLE',
            message: expect.stringContaining(`a ${kind}`),
          }),
        );
      }
    }
  });

  it.runIf(typeof SharedArrayBuffer !== 'undefined')('writes what a view has of memory that is shared', () => {
    const view = new Uint8Array(new SharedArrayBuffer(4), 1, 2).fill(7);
    expect(roundTrip(codecs[name], view)).toStrictEqual(Uint8Array.of(7, 7));
  });

  it('writes objects that only resemble them', () => {
    for (const value of [{}, { value: 1 }, { constructor: { name: 'Promise' } }, { status: 'pending' }]) {
      expect(roundTrip(codecs[name], value)).toEqual(value);
    }
  });
});

describe('a task that holds one', () => {
  it.each(codecNames)('rejects its put, and the next is granted, over %s', async (name) => {
    const master = new VirtualMaster<unknown, unknown>();
    const bad = follow(master.scheduler.put({ later: Promise.resolve(1) }));
    void master.scheduler.put('good');
    const peer = await master.connect([codecs[name].subprotocol]);
    for (const frame of encode(codecs[name], [helloOf()])) peer.sendRaw(frame);
    await master.clock.settle();
    expect(bad()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_NOT_SERIALIZABLE' } });
    expect(peer.news().filter(([type]) => type === grant)).toMatchObject([[grant, 2, 1, '1', 'good']]);
  });
});

describe('a result', () => {
  it('that holds one fails the attempt, and says why', async () => {
    const { clock, master } = await new VirtualWorker(() => ({ value: Promise.resolve(1) })).connect();
    master.last.send([grant, 1, 1, 'a', null]);
    await clock.settle();
    expect(master.last.news()).toMatchObject([
      [failed, 1, { code: 'TASKDIST_NOT_SERIALIZABLE', message: expect.stringContaining('a Promise') }],
    ]);
  });

  it('is awaited to the end, whatever can be awaited on the way', async () => {
    const thenable = (value: unknown): unknown => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what this is about
      then: (resolve: (value: unknown) => void) => resolve(value),
    });
    const results = [
      Promise.resolve('a'),
      thenable('b'),
      thenable(Promise.resolve('c')),
      thenable(thenable(thenable('d'))),
      (async () => thenable(Later.resolve('e')))(),
    ];
    const { clock, master } = await new VirtualWorker((task: number) => results[task], { concurrency: 9 }).connect();
    for (const task of results.keys()) master.last.send([grant, task + 1, 1, 'k', task]);
    await clock.settle();
    const answers = master.last.news().map(([type, , value]) => [type, value]);
    expect(answers.sort()).toEqual(['a', 'b', 'c', 'd', 'e'].map((value) => [done, value]));
  });

  it('that rejects at the end of the way fails the attempt', async () => {
    const { clock, master } = await new VirtualWorker(() => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what this is about
      then: (resolve: (value: unknown) => void) => resolve(Promise.reject(new RangeError('no'))),
    })).connect();
    master.last.send([grant, 1, 1, 'a', null]);
    await clock.settle();
    expect(master.last.news()).toMatchObject([[failed, 1, { name: 'RangeError', message: 'no' }]]);
  });
});
