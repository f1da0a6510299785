// What the master makes of attempts that a worker starts before older ones, as it shows by what it says of them.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Bag } from '../../../src/bag.ts';
import { MessageType, type WorkerDescription } from '../../../src/protocol/messages.ts';
import type { PutOptions } from '../../../src/scheduling/scheduler-options.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { recall, cancel, credit, done, failed, released, rejected, progress, pong } = MessageType;

/** A master with a `taskTimeout` of a second that has granted leases 1, 2, … of tasks 1, 2, … to a worker that runs two at once. */
async function setUp(tasks: number, options: PutOptions = {}, description: Partial<WorkerDescription> = {}) {
  const master = new VirtualMaster<unknown, unknown>({ socketTimeoutMs: 60_000 }, { maxAttempts: 1 });
  const { clock, scheduler } = master;
  const values: unknown[] = [];
  const onProgress = (value: unknown): void => void values.push(value);
  const outcomes = Array.from({ length: tasks }, (_, index) =>
    follow(scheduler.put(index + 1, { onProgress, ...options })),
  );
  const peer = await master.connect();
  peer.send(helloOf({ concurrency: 2, prefetch: 9, ...description }), [pong, 1]);
  await clock.settle();
  peer.news();
  /** What was told of attempts, by task. */
  const told = (): string[] =>
    master.events.flatMap((event) => {
      if (event.type === 'attemptStarted') return [`${event.task} started`];
      return event.type === 'attemptEnded' ? [`${event.task} ${event.outcome} ${event.durationMs}`] : [];
    });
  const cancelled = (): unknown[] => peer.news().flatMap((message) => (message[0] === cancel ? [message[1]] : []));
  return { master, clock, scheduler, peer, values, outcomes, told, cancelled };
}

describe('an attempt that ends before older ones have started', () => {
  it.each([
    ['done', [done, 4, 'result'], 'fulfilled'],
    ['failed', [failed, 4, { name: 'Error', message: 'no' }], 'rejected'],
  ] as const)('is told to have started, and is %s', async (outcome, answer, status) => {
    const { clock, peer, told, outcomes } = await setUp(5);
    await clock.advance(100);
    peer.send(answer);
    await clock.settle();
    expect(told()).toEqual(['1 started', '2 started', '4 started', `4 ${outcome} 0`]);
    expect(outcomes[3]?.().status).toBe(status);
  });

  it('is recorded as any other', async () => {
    const { clock, peer, scheduler } = await setUp(5);
    peer.send([done, 4, null], [done, 1, null], [done, 3, null]);
    await clock.settle();
    const { running, leased, runTime, waitTime } = scheduler.stats();
    expect([running, leased, runTime.count, waitTime.count]).toEqual([2, 2, 3, 5]);
  });

  it('had not started if it is given back, or declined', async () => {
    const { clock, peer, told } = await setUp(5);
    peer.send([released, 4], [rejected, 5, 'not here']);
    await clock.settle();
    expect(told()).toEqual(['1 started', '2 started']);
  });

  it('may have been asked back', async () => {
    const { master, clock, peer, told } = await setUp(3);
    const idle = await master.connect();
    idle.send(helloOf());
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 3]]);
    peer.send([done, 3, null]);
    await clock.settle();
    expect(told().slice(2)).toEqual(['3 started', '3 done 0']);
    await clock.advance(900);
    expect(peer.news()).toEqual([]);
  });
});

describe('an attempt that makes progress before older ones have started', () => {
  it('is told to have started, and its progress is told', async () => {
    const { clock, peer, told, values } = await setUp(5);
    peer.send([progress, 4, 'half'], [progress, 4, 'more']);
    await clock.advance(100);
    peer.send([done, 4, null]);
    await clock.settle();
    expect([told().slice(2), values]).toEqual([
      ['4 started', '4 done 100'],
      ['half', 'more'],
    ]);
  });

  it('is timed from then on', async () => {
    const { clock, peer, told } = await setUp(5);
    await clock.advance(600);
    peer.send([progress, 4, null]);
    await clock.advance(999);
    expect(told()).not.toContain('4 timeout 1000');
    await clock.advance(1);
    expect(told()).toContain('4 timeout 1000');
  });

  it('is not taken back any more, though it was asked for', async () => {
    const { master, clock, peer, values } = await setUp(3);
    const idle = await master.connect();
    idle.send(helloOf());
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 3]]);
    peer.send([progress, 3, 'has started']);
    await clock.advance(900);
    expect([peer.news(), values]).toEqual([[], ['has started']]);
  });

  it('has a slot: nothing starts in its place', async () => {
    const { clock, peer, told } = await setUp(6);
    peer.send([progress, 4, null], [done, 1, null]);
    await clock.settle();
    expect(told().slice(2)).toEqual(['4 started', '1 done 0']);
    peer.send([done, 4, null], [done, 2, null]);
    await clock.settle();
    expect(told().filter((each) => each.endsWith('started'))).toEqual([1, 2, 4, 3, 5].map((task) => `${task} started`));
  });

  it('keeps its slot when the worker says that it runs fewer', async () => {
    const { master, clock, peer, told } = await setUp(5);
    peer.send([progress, 4, null], [credit, 2, 9, 2]);
    await clock.settle();
    expect(master.sessions.list()[0]).toMatchObject({ running: 2, waiting: 3 });
    await clock.advance(1000);
    expect(told().filter((each) => each.includes('timeout'))).toEqual(['1 timeout 1000', '4 timeout 1000']);
  });

  it('is the one that runs of two, though it is the younger, if the worker says that one does', async () => {
    const { master, clock, peer, cancelled } = await setUp(2);
    peer.send([progress, 2, null], [credit, 1, 9, 1]);
    const idle = await master.connect();
    idle.send(helloOf());
    await clock.settle();
    expect(peer.news()).toEqual([[recall, 1]]);
    peer.send([released, 1]);
    await clock.advance(1000);
    expect(cancelled()).toEqual([2]);
  });

  it('leaves nothing behind if a listener ends the connection as it is told of the start', async () => {
    const { master, clock, scheduler, peer, values } = await setUp(5, { timeoutFrom: 'progress' });
    const begin = scheduler.started.bind(scheduler);
    scheduler.started = (lease) => {
      begin(lease);
      void master.sessions.endAll(1001, 'The end');
    };
    peer.send([progress, 4, 'nobody listens']);
    await clock.advance(1000);
    expect([values, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('is lost with its worker', async () => {
    const { master, clock, peer, told } = await setUp(5);
    peer.send([progress, 4, null]);
    await clock.settle();
    master.network.lastLink.reset();
    await clock.settle();
    expect(told()).toContain('4 lost 0');
  });
});

describe('an attempt that younger ones overtake', () => {
  it('gets its time anew, once, from shortly after the first of them was seen, as it may have waited until then', async () => {
    const { clock, peer, cancelled, told } = await setUp(9);
    for (const lease of [4, 5, 6]) {
      await clock.advance(300);
      peer.send([done, lease, null]);
    }
    await clock.advance(100);
    // The oldest is what the other waits for.
    expect(cancelled()).toEqual([1]);
    await clock.advance(399);
    expect(cancelled()).toEqual([]);
    await clock.advance(1);
    expect(cancelled()).toEqual([2]);
    expect(told().at(-1)).toBe('2 timeout 1000');
  });

  it('gets it also if the oldest has ended since', async () => {
    const { clock, peer, cancelled } = await setUp(3);
    await clock.advance(500);
    // It has waited behind the first, beside the third.
    peer.send([done, 3, null]);
    await clock.advance(1);
    peer.send([done, 1, null]);
    await clock.advance(1098);
    expect(cancelled()).toEqual([]);
    await clock.advance(1);
    expect(cancelled()).toEqual([2]);
  });

  it('is timed out if it hangs, however often others are overtaken, and whoever is never answered', async () => {
    const { clock, peer } = await setUp(40);
    const calledOff: unknown[] = [];
    let latest = 11;
    for (let round = 0; round < 10; round += 1) {
      peer.send([done, latest, null]);
      await clock.advance(300);
      for (const [type, lease] of peer.news()) {
        if (type === MessageType.grant) latest = Number(lease);
        if (type === cancel) calledOff.push(lease);
      }
    }
    expect(calledOff.sort()).toEqual([1, 2]);
  });

  it('is timed as ever if it started later', async () => {
    const { clock, peer, cancelled } = await setUp(9);
    peer.send([done, 4, null]);
    await clock.advance(500);
    peer.send([done, 1, null], [done, 2, null]);
    await clock.advance(1000);
    expect(cancelled()).toEqual([3, 5]);
  });

  it('is not one that younger ones run beside in their turn, though fewer are to run from now on', async () => {
    const { clock, peer, cancelled } = await setUp(3, { timeoutFrom: 'progress' }, { concurrency: 3, prefetch: 0 });
    for (let round = 0; round < 3; round += 1) {
      peer.send([progress, 1, round], [progress, 3, round], [credit, 2, 0, 3]);
      await clock.advance(400);
    }
    expect(cancelled()).toEqual([2]);
  });

  it('is timed out in the end, though the younger one is called off and never answered', async () => {
    const { clock, peer, cancelled } = await setUp(9);
    peer.send([progress, 4, null]);
    await clock.advance(1000);
    expect(cancelled().sort()).toEqual([1, 4]);
    await clock.advance(1000);
    expect(cancelled()).toEqual([2]);
  });
});

it('looks through all that run no more than a few times, however many run out of time at once', async () => {
  const { clock, peer } = await setUp(500, {}, { concurrency: 500, prefetch: 0 });
  let looks = 0;
  const iterate = Bag.prototype[Symbol.iterator];
  onTestFinished(() => {
    Bag.prototype[Symbol.iterator] = iterate;
  });
  Bag.prototype[Symbol.iterator] = function count() {
    looks += 1;
    return iterate.call(this);
  };
  await clock.advance(1000);
  expect(peer.news().filter(([type]) => type === cancel)).toHaveLength(500);
  expect(looks).toBeLessThan(10);
});
