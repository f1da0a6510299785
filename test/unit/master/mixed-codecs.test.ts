// Workers of both codecs, of which JSON needs more room for bytes.
import { describe, expect, it } from 'vitest';
import { type CodecName, codecs } from '../../../src/protocol/codec.ts';
import { MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { encodeOne } from '../../support/frames.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, done } = MessageType;

/** Too large for JSON, whose base64 takes a third more, and not for MessagePack. */
const large = new Uint8Array(80_000);
const tooLarge = new Uint8Array(100_000);

function setUp() {
  const master = new VirtualMaster<unknown, unknown>({ maxFrameBytes: 100_000 });
  const join = async (name: CodecName) => {
    const peer = await master.connect([codecs[name].subprotocol]);
    const send = async (message: WorkerMessage): Promise<void> => {
      peer.sendRaw(encodeOne(codecs[name], [message]));
      await master.clock.settle();
    };
    await send(helloOf());
    /** How large the tasks are that were granted since this was asked last. */
    const granted = (): unknown[] =>
      peer.news().flatMap((message) => (message[0] === grant ? [Reflect.get(Object(message[4]), 'length')] : []));
    return { send, granted };
  };
  return { ...master, master, join };
}

describe('a task that is too large for JSON only', () => {
  it('is computed by a worker that speaks MessagePack', async () => {
    const { clock, scheduler, join } = setUp();
    // The first to come is the first to be offered it.
    const [json, msgpack] = [await join('json'), await join('msgpack')];
    const outcome = follow(scheduler.put(large));
    await clock.settle();
    expect([json.granted(), msgpack.granted()]).toEqual([[], [large.length]]);
    await msgpack.send([done, 1, 'computed']);
    expect(outcome()).toEqual({ status: 'fulfilled', value: 'computed' });
  });

  it('stays queued while there are only workers that speak JSON, which go on with others', async () => {
    const { clock, scheduler, join, master } = setUp();
    const outcome = follow(scheduler.put(large));
    const json = await join('json');
    const another = await join('json');
    void scheduler.put('small');
    await clock.settle();
    expect([...json.granted(), ...another.granted()]).toEqual(['small'.length]);
    expect([outcome(), scheduler.queued]).toEqual([{ status: 'pending' }, 1]);
    expect(master.attempts).toEqual([]);
    const msgpack = await join('msgpack');
    expect(msgpack.granted()).toEqual([large.length]);
  });
});

describe('a task that is too large for both', () => {
  it.each(['json', 'msgpack'] as const)('rejects its put, whoever is to have it: %s', async (name) => {
    const { clock, scheduler, join } = setUp();
    const worker = await join(name);
    const outcome = follow(scheduler.put(tooLarge));
    await clock.settle();
    expect(outcome()).toMatchObject({ status: 'rejected', reason: { code: 'TASKDIST_TOO_LARGE' } });
    expect([worker.granted(), scheduler.queued]).toEqual([[], 0]);
  });
});
