// What is behind a conversation goes wrong: that conversation ends, and says so.
import { describe, expect, it } from 'vitest';
import { Conversation, type ConversationListener } from '../../../src/connection/conversation.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { type MasterMessage, MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import type { Ended, TaskScheduler } from '../../../src/scheduling/scheduler.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { encodeOne } from '../../support/frames.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { done, pong } = MessageType;

function setUp(error: unknown) {
  const closes: string[] = [];
  const heard: WorkerMessage[] = [];
  const ends: string[] = [];
  const socket = {
    subprotocol: '',
    bufferedBytes: 0,
    send() {},
    close: (code: number, reason: string) => void closes.push(`${code} ${reason}`),
    terminate() {},
  };
  const listener: ConversationListener<WorkerMessage> = {
    received(message) {
      heard.push(message);
      throw error;
    },
    ended: (code, reason) => void ends.push(`${code} ${reason}`),
  };
  const options = {
    codec: codecs.msgpack,
    clock: new VirtualClock(),
    maxFrameBytes: 1000,
    decode: decodeWorkerFrame,
  };
  const conversation = new Conversation<MasterMessage, WorkerMessage>(socket, options, listener);
  return { socket, conversation, closes, heard, ends };
}

describe('a Conversation whose listener throws', () => {
  it.each([
    ['an error', new Error('no disk'), 'no disk'],
    ['no error at all', undefined, 'undefined'],
    ['what cannot be described', Object.create(null), 'a value that cannot be described'],
  ])('ends with 4500, and delivers nothing more: %s', (_what, error, message) => {
    const { socket, conversation, closes, heard, ends } = setUp(error);
    const frame = encodeOne(codecs.msgpack, [
      [pong, 1],
      [pong, 2],
    ]);
    expect(() => conversation.frameReceived(socket, frame)).not.toThrow();
    expect(heard).toEqual([[pong, 1]]);
    expect(closes).toEqual([`4500 Internal error: ${message}`]);
    expect(ends).toEqual(closes);
    expect(conversation.isOpen).toBe(false);
  });
});

describe('a scheduler that fails', () => {
  it.each<[string, () => Ended]>([
    [
      'at once',
      () => {
        throw new Error('no disk');
      },
    ],
    ['later', () => Promise.reject(new Error('no disk'))],
  ])('%s ends the connection that it failed, and no other', async (_when, fail) => {
    const master = new VirtualMaster<string, string>();
    const scheduler: TaskScheduler<string, string> = master.scheduler;
    const complete = scheduler.complete.bind(scheduler);
    scheduler.complete = (lease, result) => (lease.task === 'bad' ? fail() : complete(lease, result));
    const join = async (): Promise<WorkerPeer> => {
      const peer = await master.connect();
      peer.send(helloOf());
      await master.clock.settle();
      return peer;
    };
    void master.scheduler.put('bad');
    const first = await join();
    const good = follow(master.scheduler.put('good'));
    const second = await join();
    first.send([done, 1, 'result']);
    second.send([done, 1, 'result']);
    await master.clock.settle();
    expect([first.end, second.end]).toEqual([expect.stringMatching(/^4500 .*no disk/), undefined]);
    expect(good()).toEqual({ status: 'fulfilled', value: 'result' });
    expect(master.sessions.list()).toMatchObject([{ id: 'w2', done: 1 }]);
  });

  /** A master whose scheduler fails in one way, and two workers of which one makes it fail; returns what they heard at the end. */
  async function failing(sabotage: (scheduler: TaskScheduler<string, string>, no: () => never) => void) {
    const master = new VirtualMaster<string, string>();
    const { clock, scheduler } = master;
    const join = async (): Promise<WorkerPeer> => {
      const peer = await master.connect();
      peer.send(helloOf({ name: `peer ${master.sessions.list().length + 1}`, prefetch: 1 }));
      await clock.settle();
      return peer;
    };
    const [bad, good] = [await join(), await join()];
    sabotage(scheduler, () => {
      throw new Error('no disk');
    });
    return { master, clock, scheduler, bad, good };
  }

  it('when an attempt starts ends that connection', async () => {
    const { master, clock, scheduler, bad, good } = await failing((each, no) => {
      const started = each.started.bind(each);
      each.started = (lease) => (lease.task === 'bad' ? no() : started(lease));
    });
    for (const task of ['bad', 'good']) void scheduler.put(task);
    await clock.settle();
    expect([bad.end, good.end]).toEqual(['4500 The scheduler failed: no disk', undefined]);
    expect(master.sessions.list()).toMatchObject([{ name: 'peer 2', running: 1 }]);
  });

  it('at once when it is asked for tasks ends that connection', async () => {
    const { master, clock, scheduler, bad, good } = await failing((each, no) => {
      const take = each.take.bind(each);
      each.take = (holder, max, signal) => (holder.name === 'peer 1' ? no() : take(holder, max, signal));
    });
    for (const task of ['a', 'b', 'c', 'd']) void scheduler.put(task);
    await clock.settle();
    bad.send([done, 1, 'result']);
    await clock.settle();
    expect([bad.end, good.end]).toEqual(['4500 The scheduler failed: no disk', undefined]);
    expect(master.sessions.list()).toMatchObject([{ name: 'peer 2' }]);
  });

  it.each<[string, (scheduler: TaskScheduler<string, string>, no: () => never) => void]>([
    [
      'a lease that is given back',
      (each, no) => {
        const release = each.release.bind(each);
        each.release = (lease, how) => (lease.task === 'a' ? no() : release(lease, how));
      },
    ],
    [
      'the goodbye',
      (each, no) => {
        const leave = each.leave.bind(each);
        each.leave = (holder) => (holder.name === 'peer 1' ? no() : leave(holder));
      },
    ],
  ])('at the end of a connection with %s still lets it end', async (_what, sabotage) => {
    const { master, clock, scheduler, bad, good } = await failing(sabotage);
    for (const task of ['a', 'b', 'c', 'd']) void scheduler.put(task);
    await clock.settle();
    expect([scheduler.leased, scheduler.queued]).toEqual([4, 0]);
    bad.close(1000, 'bye');
    await clock.settle();
    expect([good.end, master.sessions.list().map(({ name }) => name)]).toEqual([undefined, ['peer 2']]);
    expect(master.events.filter(({ type }) => type === 'workerDisconnected')).toHaveLength(1);
    // The other leases of that connection are back.
    expect(scheduler.queued).toBeGreaterThanOrEqual(1);
  });
});
