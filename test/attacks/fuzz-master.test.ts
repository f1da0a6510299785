// Strangers who send a master what they like, while an honest worker works.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../src/protocol/codec.ts';
import { type Message, MessageType } from '../../src/protocol/messages.ts';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import { encodeOne } from '../support/frames.ts';
import { VirtualMaster } from '../support/master.ts';
import { helloOf, type WorkerPeer } from '../support/peers.ts';
import { goldenWorkerFrames } from '../unit/protocol/golden-frames.ts';
import { FakeSocket } from './fake-socket.ts';
import { FRAMES, leaveOutStacks, prototypeKeys, SEED, withFrame } from './fuzzing.ts';
import { Mutator } from './mutations.ts';

const { done, grant, failed, rejected, released, credit, progress, received } = MessageType;

/** So many frames from strangers, then the event loop goes on, and all is looked at. */
const ROUND = 200;
/** Whoever has this label is the honest one; no stranger will guess it. */
const PASS = '7c1d9b64-honest';

const hello = helloOf({ concurrency: 4, prefetch: 4, resume: true });
const valid: readonly (readonly Message[])[] = [
  ...goldenWorkerFrames.map(({ messages }) => messages),
  [hello],
  [helloOf({ resume: { worker: 'w1', secret: 'secret 1', received: 1 } })],
  [
    [done, 1, 'result'],
    [done, 2, 'result'],
  ],
  [
    [failed, 1, { name: 'Error', message: 'm' }],
    [released, 2],
  ],
  [
    [rejected, 3, 'no'],
    [progress, 4, 1],
    [credit, 4, 'auto', 1],
  ],
  [
    [received, 1],
    [received, 2],
  ],
];

async function setUp() {
  const master = new VirtualMaster<{ type: string }, unknown>({
    taskTimeoutMs: 1e9,
    resumeWindowMs: 100,
    socketTimeoutMs: 1e9,
  });
  const honest = await master.connect();
  honest.send(helloOf({ name: 'honest', accepts: ['honest'], labels: { pass: PASS } }));
  await master.clock.settle();
  honest.news();
  return { master, honest };
}

/** Gives the honest worker a task, has it answered, and returns what came of it. */
async function work(
  master: VirtualMaster<{ type: string }, unknown>,
  honest: WorkerPeer,
  result: string,
): Promise<unknown> {
  const settled = master.scheduler.put({ type: 'honest' }, { requires: { pass: PASS } });
  await master.clock.settle();
  const lease = honest.news().findLast(([type]) => type === grant)?.[1];
  if (typeof lease !== 'number') throw new Error('The honest worker got nothing');
  honest.send([done, lease, result]);
  await master.clock.settle();
  return settled;
}

leaveOutStacks();

describe.each(Object.values(codecs))('a Master whom strangers send hostile frames of $subprotocol', (codec) => {
  const frames = Math.ceil(FRAMES / 4);

  it(`raises nothing, and serves an honest worker on: ${frames} frames`, { timeout: 36e5 }, async () => {
    const random = seededRandom(SEED);
    const mutator = new Mutator(random, codec, valid);
    const { master, honest } = await setUp();
    const prototypes = prototypeKeys();
    let stranger: FakeSocket | undefined;
    let strangers = 0;
    const arrive = (): FakeSocket => {
      let socket: FakeSocket | undefined;
      master.sessions.accept((listener) => {
        socket = new FakeSocket(codec.subprotocol, listener);
        return socket;
      });
      if (socket === undefined) throw new Error('Not accepted');
      strangers += 1;
      // Mostly it looks like a worker at first.
      if (random() < 0.9) socket.hear(encodeOne(codec, [hello]));
      return socket;
    };
    for (let index = 0; index < frames; index += 1) {
      if (stranger === undefined || stranger.isClosed) {
        stranger = arrive();
        // It is granted leases within a few of these.
        for (let tick = 0; tick < 6; tick += 1) await Promise.resolve();
      }
      const frame = mutator.next();
      const socket = stranger;
      withFrame(index, frame, () => socket.hear(frame));
      if (random() < 0.01) stranger.break();
      if (index % ROUND !== 0) continue;
      while (master.scheduler.stats().queued < 10) master.scheduler.put({ type: 'any' }).catch(() => {});
      await master.clock.advance(integerBelow(random, 20));
      expect(master.sessions.list()[0]).toMatchObject({ name: 'honest', running: 0, waiting: 0, late: 0 });
      if (index % (5 * ROUND) === 0) expect(await work(master, honest, `result ${index}`)).toBe(`result ${index}`);
    }
    expect(await work(master, honest, 'the last')).toBe('the last');
    expect(honest.end).toBeUndefined();
    expect(prototypeKeys()).toEqual(prototypes);
    // It reached beyond the hello, and was thrown out, many times.
    expect(strangers).toBeGreaterThan(frames / 20);
    expect(master.scheduler.stats().total.done).toBeGreaterThan(frames / 100);
    const stopped = master.sessions.endAll(1001, 'The end');
    await master.clock.advance(10_000);
    await stopped;
    master.scheduler.close(new Error('The end') as never);
    await master.clock.settle();
    expect([master.sessions.list(), master.clock.pendingTimers]).toEqual([[], 0]);
  });
});
