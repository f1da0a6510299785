// A client that knows the protocol well, and tries to get at what is not its own.
import { describe, expect, it } from 'vitest';
import { type MasterMessage, MessageType, type WorkerMessage } from '../../src/protocol/messages.ts';
import { follow } from '../support/holders.ts';
import { VirtualMaster } from '../support/master.ts';
import { helloOf, type WorkerPeer } from '../support/peers.ts';

const { welcome, grant, cancel, done, failed, rejected, released, credit, progress, pong, ping, received } =
  MessageType;

type Task = { readonly type: string; readonly secret?: string };

/** An honest worker that runs a task, and an adversary that has been welcomed. */
async function setUp(adversaryHello: WorkerMessage = helloOf({ name: 'adversary', accepts: ['bait'] })) {
  const master = new VirtualMaster<Task, unknown>({ resumeWindowMs: 5000 });
  const honest = await join(master, helloOf({ name: 'honest', accepts: ['work'], resume: true }));
  const put = follow(master.scheduler.put({ type: 'work', secret: 'for the honest alone' }));
  await master.clock.settle();
  const adversary = await join(master, adversaryHello);
  adversary.news();
  const work = (): unknown => [put().status, master.sessions.list().find(({ name }) => name === 'honest')?.running];
  return { master, honest, adversary, put, work };
}

async function join(master: VirtualMaster<Task, unknown>, hello: WorkerMessage): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(hello);
  await master.clock.settle();
  return peer;
}

/** All that it was ever told, as text. */
const told = (peer: WorkerPeer): string => JSON.stringify(peer.frames);

describe('an adversary', () => {
  it.each<[string, WorkerMessage]>([
    ['complete', [done, 1, 'forged']],
    ['fail', [failed, 1, { name: 'Error', message: 'forged' }]],
    ['reject', [rejected, 1, 'forged']],
    ['release', [released, 1]],
    ['tell of the progress of', [progress, 1, 'forged']],
  ])('cannot %s the lease of another connection: by its number, none of its own is found', async (_, message) => {
    const { master, honest, adversary, put, work } = await setUp();
    adversary.send(message);
    await master.clock.settle();
    expect(adversary.end).toBe('4409 Lease 1 was never granted on this connection');
    expect(work()).toEqual(['pending', 1]);
    honest.send([done, 1, 'true']);
    await master.clock.settle();
    expect(put()).toEqual({ status: 'fulfilled', value: 'true' });
  });

  it('settles its own task alone, though the numbers are the same', async () => {
    const { master, adversary, work } = await setUp();
    const bait = follow(master.scheduler.put({ type: 'bait' }));
    await master.clock.settle();
    expect(adversary.news()).toContainEqual([grant, 1, 1, '1', { type: 'bait' }]);
    adversary.send([done, 1, 'bait']);
    await master.clock.settle();
    expect(bait()).toEqual({ status: 'fulfilled', value: 'bait' });
    expect(work()).toEqual(['pending', 1]);
  });

  it('cannot settle a task twice, nor one that was taken back, nor tell of its progress any more', async () => {
    const { master, adversary } = await setUp();
    const heard: unknown[] = [];
    const options = { onProgress: (value: unknown) => heard.push(value) };
    const bait = follow(master.scheduler.put({ type: 'bait' }, options));
    await master.clock.settle();
    adversary.send(
      [done, 1, 'first'],
      [done, 1, 'second'],
      [failed, 1, { name: 'E', message: 'm' }],
      [progress, 1, 'late'],
    );
    await master.clock.settle();
    expect([bait(), heard]).toEqual([{ status: 'fulfilled', value: 'first' }, []]);
    const controller = new AbortController();
    const aborted = follow(master.scheduler.put({ type: 'bait' }, { ...options, signal: controller.signal }));
    await master.clock.settle();
    controller.abort();
    await master.clock.settle();
    expect(adversary.news()).toContainEqual([cancel, 2, 'aborted']);
    adversary.send([progress, 2, 'late'], [done, 2, 'late'], [done, 2, 'later']);
    await master.clock.settle();
    expect([aborted().status, heard]).toEqual(['rejected', []]);
    expect(master.sessions.list()).toMatchObject([{}, { done: 1, late: 4 }]);
    expect(adversary.end).toBeUndefined();
  });

  it.each(['', 'secret 2', 'secret 1 ', 'SECRET 1', 'secret', '__proto__'])(
    'cannot resume the session of another with the secret "%s", whether that is connected or away',
    async (secret) => {
      const { master, honest, work } = await setUp();
      const tryToResume = async (): Promise<void> => {
        const thief = await join(master, helloOf({ name: 'thief', resume: { worker: 'w1', secret, received: 1 } }));
        const [first] = thief.news();
        expect(first).toMatchObject([welcome, { worker: expect.not.stringMatching(/^w1$/) }]);
        expect(first).not.toHaveProperty('1.resume.received');
        expect(told(thief)).not.toContain('for the honest alone');
      };
      await tryToResume();
      expect(honest.end).toBeUndefined();
      expect(work()).toEqual(['pending', 1]);
      master.network.links[0]?.reset();
      await master.clock.advance(100);
      await tryToResume();
      expect(work()).toEqual(['pending', 1]);
    },
  );

  it.each(['w2', 'constructor', '__proto__', ''])('cannot resume what is none: "%s"', async (worker) => {
    const { master } = await setUp();
    const peer = await join(master, helloOf({ resume: { worker, secret: 'secret 1', received: 0 } }));
    expect(peer.news()[0]).not.toHaveProperty('1.resume.received');
    expect(peer.end).toBeUndefined();
  });

  it('hears of no secret but its own, and of no task that it was not granted', async () => {
    const { master, adversary } = await setUp(
      helloOf({ name: 'adversary', accepts: ['bait'], resume: true, concurrency: 100 }),
    );
    for (let task = 0; task < 10; task += 1)
      void master.scheduler.put({ type: 'work', secret: `s${task}` }).catch(() => {});
    adversary.send([credit, 65_536, 65_536, 0]);
    await master.clock.advance(10_000);
    expect(told(adversary)).not.toMatch(/secret 1|for the honest|"s\d"/);
    expect(told(adversary)).toContain('secret 2');
  });

  it('gets a task once more after it has declined it only on another connection', async () => {
    const { master, adversary } = await setUp();
    void master.scheduler.put({ type: 'bait' }).catch(() => {});
    await master.clock.settle();
    adversary.send([rejected, 1, 'no']);
    await master.clock.advance(1000);
    const grants = adversary.frames.flat().filter(([type]: MasterMessage) => type === grant);
    expect(grants).toHaveLength(1);
  });

  it.each<[string, readonly WorkerMessage[], RegExp]>([
    ['says hello again', [helloOf()], /^4409/],
    ['claims to have more frames than there are', [[received, 99]], /^4409/],
    ['asks for more than anybody has', [[credit, 65_537, 0, 0]], /^4400/],
    ['says what only a master says', [[grant, 1, 1, 'k', 1] as never], /^4400/],
  ])('is shown the door when it %s, and what it held goes to others', async (_, messages, end) => {
    const { master, adversary } = await setUp(helloOf({ name: 'adversary', accepts: ['bait'], resume: true }));
    void master.scheduler.put({ type: 'bait' }).catch(() => {});
    await master.clock.settle();
    adversary.send(...messages);
    await master.clock.settle();
    expect(adversary.end).toMatch(end);
    expect(master.scheduler.stats()).toMatchObject({ queued: 1, running: 1 });
    expect(master.sessions.list().map(({ name }) => name)).toEqual(['honest']);
  });

  it('says what it likes before its hello, and none of it counts', async () => {
    const { master, work } = await setUp();
    for (const message of [
      [done, 1, 'x'],
      [pong, 1],
      [credit, 9, 9, 0],
      [received, 1],
    ] satisfies WorkerMessage[]) {
      const peer = await join(master, message);
      expect(peer.end).toMatch(/^4409/);
    }
    expect(work()).toEqual(['pending', 1]);
  });

  it('is believed no round trip that it makes up', async () => {
    const { master, adversary } = await setUp();
    adversary.send(...[0, 1, 2, 3, 1e9, Number.MAX_SAFE_INTEGER].map((nonce): WorkerMessage => [pong, nonce, 1e15]));
    adversary.send(...[0, 1, 2, 3].map((nonce): WorkerMessage => [pong, nonce]));
    await master.clock.advance(3000);
    const roundTrip = master.sessions.list().at(-1)?.roundTrip ?? 0;
    expect(roundTrip).toBeGreaterThanOrEqual(0);
    expect(roundTrip).toBeLessThan(10);
    expect(adversary.frames.flat().filter(([type]) => type === ping).length).toBeLessThan(10);
  });

  it('that takes all tasks and does none loses them by their timeout, and they are done by others', async () => {
    const master = new VirtualMaster<Task, unknown>({ taskTimeoutMs: 1000, socketTimeoutMs: 60_000 });
    const options = { maxAttempts: 20, backoff: { base: 0 } };
    const puts = Array.from({ length: 20 }, () => follow(master.scheduler.put({ type: 'work' }, options)));
    await join(master, helloOf({ name: 'hog', concurrency: 65_536, prefetch: 65_536 }));
    const honest = await join(master, helloOf({ name: 'honest', concurrency: 20 }));
    await master.clock.advance(999);
    expect(honest.news().filter(([type]) => type === grant)).toEqual([]);
    for (let second = 0; second < 10; second += 1) {
      await master.clock.advance(1000);
      const leases = honest.news().flatMap((message) => (message[0] === grant ? [message[1]] : []));
      if (leases.length > 0) honest.send(...leases.map((lease): WorkerMessage => [done, lease, 'true']));
      await master.clock.settle();
    }
    expect(puts.map((put) => put().status)).toEqual(Array(20).fill('fulfilled'));
  });
});
