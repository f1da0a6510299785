// What a worker may say of its own accord, and how often it may give tasks back.
import { describe, expect, it, vi } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import type { SessionLimits } from '../../../src/master/sessions.ts';
import { MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { virtualEnvironment } from '../../../src/testing/virtual-environment.ts';
import { Worker } from '../../../src/worker/worker.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { done, released, rejected, credit, pong, progress, grant } = MessageType;

const RATE = 100;
/** What may be said at once: as much as in a `socketTimeout`. */
const BURST = 300;

async function masterWith(limits: Partial<SessionLimits> = {}, concurrency = 1) {
  const master = new VirtualMaster({
    maxMessageRate: RATE,
    socketTimeoutMs: 3000,
    taskTimeoutMs: 1e9,
    resumeWindowMs: 5000,
    ...limits,
  });
  const peer = await master.connect();
  peer.send(helloOf({ concurrency, resume: true }));
  await master.clock.settle();
  return { master, peer };
}

/** Its session becomes so old that all may come at once. */
async function age(master: VirtualMaster, peer: WorkerPeer): Promise<void> {
  for (let ms = 0; ms < 3000; ms += 500) {
    await master.clock.advance(500);
    answerPings(peer);
    await master.clock.settle();
  }
}

function answerPings(peer: WorkerPeer): void {
  for (const message of peer.news()) if (message[0] === MessageType.ping) peer.send([pong, message[1]]);
}

/** Undefined: a frame without a message. */
async function say(
  master: VirtualMaster,
  peer: WorkerPeer,
  count: number,
  message: WorkerMessage | undefined,
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    if (message === undefined) peer.sendRaw(Uint8Array.of(0x90));
    else peer.send(message);
  }
  await master.clock.settle();
}

const leasesOf = (peer: WorkerPeer): number[] =>
  peer.news().flatMap((message) => (message[0] === grant ? [message[1]] : []));

describe('a master that takes so many messages', () => {
  it('says so in its welcome', async () => {
    const { peer } = await masterWith();
    expect(peer.news()[0]).toMatchObject([MessageType.welcome, { maxMessageRate: RATE }]);
  });

  it('says nothing of it if it takes any number', async () => {
    const { master, peer } = await masterWith({ maxMessageRate: Number.POSITIVE_INFINITY });
    expect(peer.news()[0]?.[1]).not.toHaveProperty('maxMessageRate');
    await say(master, peer, 10_000, [credit, 1, 0, 0]);
    expect(peer.end).toBeUndefined();
  });

  it.each<[string, WorkerMessage | undefined]>([
    ['progress', [progress, 1, null]],
    ['credit', [credit, 1, 0, 0]],
    ['answers that were given before', [done, 1, null]],
    ['late releases', [released, 1]],
    ['pongs that nobody asked for', [pong, 999]],
    ['pongs that were sent before', [pong, 1]],
    ['news that are none of what has come', [MessageType.received, 0]],
    ['nothing at all', undefined],
  ])('closes who sends more of it: %s', async (_what, message) => {
    const { master, peer } = await masterWith();
    await age(master, peer);
    void master.scheduler.put(1);
    await master.clock.settle();
    if (message?.[0] !== progress) peer.send([done, 1, null]);
    await say(master, peer, BURST, message);
    expect(peer.end).toBeUndefined();
    await say(master, peer, 1, message);
    expect(peer.end).toBe(`4429 More than ${RATE} messages per second that nobody asked for`);
    await master.clock.settle();
    expect(master.scheduler.leased).toBe(0);
  });

  it.each([
    ['in fields that are ignored', [0x95, credit, 1, 0, 0]],
    ['in what is told', [0x93, progress, 1]],
    ['in pongs', [0x94, pong, 2, 0]],
  ])('closes who sends few messages that are large: %s', async (_what, message) => {
    const { master, peer } = await masterWith();
    void master.scheduler.put(1);
    await age(master, peer);
    const length = 25_590;
    // A frame of this message, whose last field is so long a text: a second's worth.
    const frame = Uint8Array.of(0x91, ...message, 0xda, length >> 8, length & 255, ...Array<number>(length).fill(0x78));
    for (const _ of [1, 2, 3]) peer.sendRaw(frame);
    await master.clock.settle();
    expect(peer.end).toBeUndefined();
    // What is too much of the next is owed.
    for (const _ of [1, 2]) peer.sendRaw(frame);
    await master.clock.settle();
    expect(peer.end).toMatch(/^4429 /);
  });

  it('takes results as large as they are, and a hello', async () => {
    const master = new VirtualMaster({ maxMessageRate: RATE, taskTimeoutMs: 1e9 });
    const peer = await master.connect();
    peer.send(helloOf({ accepts: Array.from({ length: 31 }, () => 'x'.repeat(256)), token: 'x'.repeat(8192) }));
    for (let task = 0; task < 20; task += 1) {
      void master.scheduler.put({ type: 'x'.repeat(256), task }).catch(() => {});
      await master.clock.settle();
      for (const lease of leasesOf(peer)) {
        peer.send([progress, lease, 'x'.repeat(1000)]);
        peer.send([progress, lease, 1], [done, lease, 'x'.repeat(90_000)]);
      }
      await master.clock.settle();
    }
    expect(peer.end).toBeUndefined();
    expect(master.sessions.list()).toMatchObject([{ done: 20 }]);
  });

  it('takes no more at once than since the welcome: to connect again gains nothing', async () => {
    const { master, peer } = await masterWith({}, 0);
    await say(master, peer, RATE, [credit, 0, 0, 0]);
    expect(peer.end).toBeUndefined();
    await say(master, peer, 1, [credit, 0, 0, 0]);
    expect(peer.end).toMatch(/^4429 /);
    const other = await master.connect();
    other.send(helloOf({ concurrency: 0 }));
    await master.clock.advance(1000);
    await say(master, other, 2 * RATE, [credit, 0, 0, 0]);
    expect(other.end).toBeUndefined();
    await say(master, other, 1, [credit, 0, 0, 0]);
    expect(other.end).toMatch(/^4429 /);
  });

  it('does not count that what it has sent has come', async () => {
    const { master, peer } = await masterWith({}, 1);
    await age(master, peer);
    for (let count = 2; count < 2 * BURST; count += 1) {
      const controller = new AbortController();
      const put = master.scheduler.put(count, { signal: controller.signal }).catch(() => {});
      await master.clock.settle();
      controller.abort();
      await put;
      await master.clock.settle();
      const [lease] = leasesOf(peer);
      if (lease !== undefined) peer.send([released, lease]);
      peer.send([MessageType.received, peer.frames.length]);
      await master.clock.settle();
    }
    expect(peer.frames.length).toBeGreaterThan(2 * BURST);
    expect(peer.end).toBeUndefined();
  });

  it('closes nobody who keeps to it, for however long', async () => {
    const { master, peer } = await masterWith({ socketTimeoutMs: 1000 });
    for (let second = 0; second < 100; second += 0.5) {
      await say(master, peer, RATE / 2, [credit, 1, 0, 0]);
      await master.clock.advance(500);
    }
    expect(peer.end).toBeUndefined();
  });

  it('does not count answers to what it has granted, or pongs to its pings', async () => {
    const { master, peer } = await masterWith({}, 10);
    for (let task = 0; task < 5 * BURST; task += 1) void master.scheduler.put(task).catch(() => {});
    let answered = 0;
    for (let round = 0; round < 1000 && answered < 5 * BURST; round += 1) {
      await master.clock.settle();
      for (const message of peer.news()) {
        if (message[0] === MessageType.ping) peer.send([pong, message[1]]);
        if (message[0] !== grant) continue;
        peer.send([done, message[1], null]);
        answered += 1;
      }
    }
    expect(answered).toBe(5 * BURST);
    expect(peer.end).toBeUndefined();
    for (let ping = 0; ping < 2 * BURST; ping += 1) {
      await master.clock.advance(1000);
      for (const message of peer.news()) if (message[0] === MessageType.ping) peer.send([pong, message[1]]);
    }
    expect(peer.end).toBeUndefined();
  });

  it.each<[string, (context: TaskContext, worker: Worker<unknown, unknown>) => void]>([
    ['whose handler tells of its progress in a loop', (context) => context.progress('x')],
    ['that tells much of its progress', (context) => context.progress('x'.repeat(50_000))],
    [
      'that is paused and resumed in a loop',
      (_context, worker) => {
        worker.pause();
        worker.resume();
      },
    ],
  ])('closes no worker of its own kind %s, not even after its line stood still', async (_what, act) => {
    const { master } = await masterWith({ maxMessageRate: 1000, socketTimeoutMs: 3000, resumeWindowMs: 0 });
    const { clock, network } = master;
    const contexts: TaskContext[] = [];
    const handler = (_task: unknown, context: TaskContext): Promise<never> => {
      contexts.push(context);
      return new Promise(() => {});
    };
    const worker = new Worker(handler, { name: 'honest' }, virtualEnvironment({ clock, network }));
    void worker.start();
    for (const task of [1, 2]) void master.scheduler.put(task).catch(() => {});
    await clock.settle();
    for (let ms = 0; ms < 6000; ms += 10) {
      for (const context of contexts) for (let count = 0; count < 20; count += 1) act(context, worker);
      // All that is sent meanwhile arrives at once.
      network.lastLink.latencyMs = ms >= 2000 && ms < 4500 ? 4500 - ms : 0;
      await clock.advance(10);
    }
    expect(contexts.length).toBeGreaterThan(0);
    expect(master.events.filter(({ type }) => type === 'workerDisconnected')).toMatchObject([
      // The peer by hand, which answers no pings.
      { worker: { name: 'peer' } },
    ]);
    void worker.stop();
    await clock.advance(10_000);
  });
});

describe('a master whose worker gives back what it is granted', () => {
  it.each<[string, (lease: number) => WorkerMessage]>([
    ['released', (lease) => [released, lease]],
    ['rejected', (lease) => [rejected, lease, 'no']],
  ])('grants it nothing for a while when it was too much, and then again: %s', async (_how, give) => {
    const { master, peer } = await masterWith({ socketTimeoutMs: 1e6 });
    let put = 0;
    const more = (): void => {
      put += 1;
      void master.scheduler.put(put).catch(() => {});
    };
    more();
    let returned = 0;
    const play = async (): Promise<void> => {
      for (;;) {
        await master.clock.settle();
        const leases = leasesOf(peer);
        if (leases.length === 0) return;
        for (const lease of leases) {
          more();
          peer.send(give(lease));
          returned += 1;
        }
      }
    };
    await play();
    expect(returned).toBe(RATE + 1);
    expect(master.sessions.list()).toMatchObject([{ credit: 0, running: 0 }]);
    await master.clock.advance(100);
    await play();
    expect(returned).toBe(RATE + 1);
    await master.clock.advance(10);
    await play();
    expect(returned).toBe(RATE + 1 + RATE / 10 + 1);
    // It is none to be closed for.
    expect(peer.end).toBeUndefined();
  });

  it('gives the tasks to others meanwhile', async () => {
    const { master, peer } = await masterWith({ socketTimeoutMs: 1e6 });
    void master.scheduler.put('task');
    for (let index = 0; index <= RATE; index += 1) {
      await master.clock.settle();
      for (const lease of leasesOf(peer)) peer.send([released, lease]);
    }
    await master.clock.settle();
    expect(leasesOf(peer)).toEqual([]);
    const other = await master.connect();
    other.send(helloOf());
    await master.clock.settle();
    expect(leasesOf(other)).toEqual([1]);
  });

  it('does not ask for tasks for it meanwhile, though it could start some', async () => {
    const { master, peer } = await masterWith({ socketTimeoutMs: 1e6 }, 2);
    for (let index = 0; index <= RATE; index += 1) {
      void master.scheduler.put(index).catch(() => {});
      await master.clock.settle();
      for (const lease of leasesOf(peer)) peer.send([rejected, lease, 'no']);
    }
    await master.clock.settle();
    const release = vi.spyOn(master.scheduler, 'release');
    void master.scheduler.put('another').catch(() => {});
    await master.clock.advance(99);
    expect(release).not.toHaveBeenCalled();
    await master.clock.advance(30);
    expect(leasesOf(peer)).toHaveLength(1);
  });

  it('does not mind what it has asked back itself', async () => {
    const { master, peer } = await masterWith({ socketTimeoutMs: 1e6 });
    for (let round = 0; round < 3 * RATE; round += 1) {
      const controller = new AbortController();
      const put = master.scheduler.put(round, { signal: controller.signal }).catch(() => {});
      await master.clock.settle();
      const [lease] = leasesOf(peer);
      controller.abort();
      await put;
      if (lease !== undefined) peer.send([released, lease]);
      await master.clock.settle();
    }
    expect(master.sessions.list()).toMatchObject([{ credit: 1 }]);
  });
});
