// A worker by hand that loses its connection, and what its master makes of it.
import { describe, expect, it, vi } from 'vitest';
import { ReplayStore } from '../../../src/connection/replay-store.ts';
import { createAuthenticator } from '../../../src/master/authentication.ts';
import { silentLogger } from '../../../src/ports.ts';
import {
  type MasterMessage,
  MessageType,
  type ResumeOffer,
  type WorkerMessage,
} from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { welcome, grant, cancel, recall, done, released, credit, pong, received } = MessageType;

/** A worker that can resume, with one slot and one task of prefetch. */
async function setUp({ tasks = 2, taskTimeoutMs = 60_000, resumeWindowMs = 5000, socketTimeoutMs = 3000 } = {}) {
  const master = new VirtualMaster<string, string>({ resumeWindowMs, taskTimeoutMs, socketTimeoutMs });
  const { clock, network } = master;
  const puts = Array.from({ length: tasks }, (_, index) => follow(master.scheduler.put(`task ${index}`)));
  const peer = await join(master, helloOf({ prefetch: 1, resume: true }));
  const offer = offerOf(peer.news());
  return {
    master,
    clock,
    network,
    puts,
    peer,
    offer,
    back: (frames: number, secret = offer.secret) =>
      join(master, helloOf({ resume: { worker: 'w1', secret, received: frames } })),
  };
}

async function join(master: VirtualMaster<string, string>, hello: WorkerMessage): Promise<WorkerPeer> {
  const peer = await master.connect();
  peer.send(hello);
  await master.clock.settle();
  return peer;
}

function offerOf(news: readonly MasterMessage[]): ResumeOffer {
  const [first] = news;
  if (first?.[0] !== welcome || first[1].resume === undefined) throw new Error('Cannot be resumed');
  return first[1].resume;
}

const types = (master: VirtualMaster<string, string>): string[] =>
  master.events.map(({ type }) => type).filter((type) => type.startsWith('worker'));

/** Another worker comes, is given a task, and loses its connection. */
async function loseOne(master: VirtualMaster<string, string>): Promise<void> {
  void master.scheduler.put('task').catch(() => {});
  await join(master, helloOf({ resume: true }));
  master.network.lastLink.reset();
  await master.clock.settle();
}

describe('a Master whose worker loses its connection', () => {
  it('keeps its leases, goes on with it when it is back, and takes what it delivers', async () => {
    const { master, clock, network, puts, offer, back } = await setUp({ tasks: 3 });
    expect(offer).toEqual({ secret: 'secret 1', window: 5000 });
    network.lastLink.reset();
    await clock.advance(4999);
    expect(master.sessions.list()).toMatchObject([{ id: 'w1', isInterrupted: true, running: 1, waiting: 1 }]);
    const peer = await back(1);
    peer.send([done, 1, 'result']);
    await clock.settle();
    expect(puts[0]?.()).toEqual({ status: 'fulfilled', value: 'result' });
    const [welcomeBack, ...others] = peer.frames;
    expect(welcomeBack).toMatchObject([
      [welcome, { worker: 'w1', resume: { secret: 'secret 1', window: 5000, received: 1 } }],
    ]);
    expect(others.flat()).toContainEqual([grant, 3, 1, '2', 'task 2']);
    expect(master.sessions.list()).toMatchObject([{ id: 'w1', isInterrupted: false, running: 1, waiting: 1, done: 1 }]);
    expect(master.attempts).toEqual(['done 4999']);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerResumed']);
  });

  it('waits for so many workers, and no longer for the one that has been away longest when there are more', async () => {
    const master = new VirtualMaster<string, string>({ resumeWindowMs: 5000, taskTimeoutMs: 1e9, maxInterrupted: 2 });
    const lose = (): Promise<void> => loseOne(master);
    const waiting = (): string[] => master.sessions.list().map(({ id }) => id);
    for (const _ of [1, 2]) await lose();
    expect(waiting()).toEqual(['w1', 'w2']);
    await lose();
    expect(waiting()).toEqual(['w2', 'w3']);
    await join(master, helloOf({ resume: { worker: 'w2', secret: 'secret 2', received: 1 } }));
    await lose();
    // The one that is back does not count.
    expect(waiting()).toEqual(['w2', 'w3', 'w4']);
    await lose();
    expect(waiting()).toEqual(['w2', 'w4', 'w5']);
    await master.clock.advance(10_000);
    for (const _ of [1, 2]) await lose();
    expect(master.sessions.list().filter(({ isInterrupted }) => isInterrupted)).toHaveLength(2);
  });

  it('waits for so many workers of one address, whose others cost nobody else the place', async () => {
    const limits = { maxInterrupted: 10, maxInterruptedPerAddress: 2 };
    const master = new VirtualMaster<string, string>({ resumeWindowMs: 5000, taskTimeoutMs: 1e9, ...limits });
    for (const address of ['A', 'B', 'B', 'B', 'B']) {
      master.address = address;
      // Who takes tasks and is lost has to rest.
      await master.clock.advance(500);
      await loseOne(master);
    }
    expect(master.sessions.list().map(({ id }) => id)).toEqual(['w1', 'w4', 'w5']);
  });

  it.each([
    ['goes on with it though it is not known until later who it is', 'secret 1', 'w1'],
    ['waits for nobody else who claims to be it', 'secret 2', 'w2'],
  ])('%s, when the window is nearly over', async (_, secret, id) => {
    const answers: ((isRight: boolean) => void)[] = [];
    const authenticate = createAuthenticator(
      () => new Promise<boolean>((resolve) => answers.push(resolve)),
      silentLogger,
    );
    const master = new VirtualMaster<string, string>({
      resumeWindowMs: 5000,
      helloTimeoutMs: 2000,
      taskTimeoutMs: 60_000,
      authenticate,
    });
    void master.scheduler.put('task').catch(() => {});
    await join(master, helloOf({ resume: true }));
    answers[0]?.(true);
    await master.clock.settle();
    master.network.lastLink.reset();
    await master.clock.advance(4900);
    await join(master, helloOf({ resume: { worker: 'w1', secret, received: 1 } }));
    await master.clock.advance(1000);
    answers[1]?.(true);
    await master.clock.settle();
    expect(master.sessions.list()).toMatchObject([{ id, isInterrupted: false, running: 1 }]);
  });

  it('gives its leases to others at once when it is back, but has missed what nobody has any more', async () => {
    const { master, clock, network, puts, offer, back } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    // More than it can have got.
    const peer = await back(9, offer.secret);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerDisconnected', 'workerConnected']);
    expect(peer.news()).toContainEqual([grant, 1, 1, '0', 'task 0']);
    peer.send([done, 1, 'result']);
    await clock.settle();
    expect(puts[0]?.()).toEqual({ status: 'fulfilled', value: 'result' });
  });

  it('welcomes nobody any more if a listener stops it then', async () => {
    const { master, network, back } = await setUp({ tasks: 1 });
    network.lastLink.drop();
    master.onEvent = ({ type }) => {
      if (type === 'workerDisconnected') void master.sessions.endAll(1001, 'The master was stopped');
    };
    const peer = await back(9);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerDisconnected']);
    expect([master.sessions.list(), peer.news()]).toEqual([[], []]);
  });

  it('sends again what has not come however full the store is: the welcome is not kept', async () => {
    const loseAndResume = async (maxBytes: number) => {
      const store = new ReplayStore(maxBytes);
      const master = new VirtualMaster<string, string>({ resumeWindowMs: 5000, taskTimeoutMs: 60_000 });
      Object.assign(master.sessions, { replayStore: store });
      const abort = new AbortController();
      master.scheduler.put('task', { signal: abort.signal }).catch(() => {});
      void master.scheduler.put('another').catch(() => {});
      await join(master, helloOf({ prefetch: 1, resume: true }));
      master.network.lastLink.reset();
      await master.clock.settle();
      abort.abort();
      await master.clock.settle();
      const { byteLength } = store;
      const peer = await join(master, helloOf({ resume: { worker: 'w1', secret: 'secret 1', received: 1 } }));
      return { byteLength, news: peer.news() };
    };
    const { byteLength, news } = await loseAndResume(1_000_000);
    expect(news).toContainEqual([cancel, 1, 'aborted']);
    expect((await loseAndResume(byteLength)).news).toContainEqual([cancel, 1, 'aborted']);
  });

  it('does so as well when it has not noticed yet that the connection is lost', async () => {
    const { master, network, offer, back } = await setUp({ tasks: 1 });
    network.lastLink.drop();
    const peer = await back(9, offer.secret);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerDisconnected', 'workerConnected']);
    expect(peer.news()).toContainEqual([grant, 1, 1, '0', 'task 0']);
  });

  it('gives its leases to others when the window is over, and does not know it any more then', async () => {
    const { master, clock, network, puts, peer: lost, back } = await setUp({ tasks: 1 });
    lost.send([pong, 1]);
    await clock.settle();
    network.lastLink.reset();
    await clock.advance(5000);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerDisconnected']);
    expect(master.attempts).toEqual(['lost 5000']);
    const peer = await back(1);
    expect(peer.news()).toMatchObject([
      [welcome, { worker: 'w2', resume: { secret: 'secret 2' } }],
      [MessageType.ping, 1],
      [grant, 1, 2, '0', 'task 0'],
    ]);
    peer.send([done, 1, 'result']);
    await clock.settle();
    expect(puts[0]?.().status).toBe('fulfilled');
  });

  it('sends again what has not come, and each message once', async () => {
    const { clock, network, peer, back, master } = await setUp({ tasks: 4 });
    peer.send([done, 1, 'a']);
    await clock.settle();
    expect(peer.news()).toContainEqual([grant, 3, 1, '2', 'task 2']);
    network.lastLink.drop('down');
    peer.send([done, 2, 'b']);
    await clock.settle();
    network.lastLink.reset();
    await clock.advance(100);
    // Of the frames of the master, it has the first two.
    const next = await back(2);
    const messages = next.frames.flat().filter(([type]) => type !== MessageType.ping);
    expect(messages.slice(1)).toEqual([[grant, 4, 1, '3', 'task 3']]);
    expect(messages[0]).toMatchObject([welcome, { resume: { received: 3 } }]);
    expect(master.sessions.list()).toMatchObject([{ done: 2, late: 0 }]);
  });

  it.each<[string, number, string | undefined]>([
    ['a wrong secret', 1, 'secret 2'],
    ['no secret', 1, ''],
    ['a secret that goes on', 1, 'secret 1x'],
  ])('takes nobody for it with %s', async (_, frames, secret) => {
    const { master, network, clock, back } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    const stranger = await back(frames, secret);
    expect(stranger.news()).toMatchObject([
      [welcome, { worker: 'w2' }],
      [MessageType.ping, 1],
    ]);
    expect(master.sessions.list()).toMatchObject([
      { id: 'w1', isInterrupted: true, running: 1 },
      { id: 'w2', running: 0 },
    ]);
  });

  it('does not take one that writes in another codec for it', async () => {
    const { master, network, clock, offer } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    const peer = await master.connect(['taskdist.v1.json']);
    peer.sendRaw(JSON.stringify([helloOf({ resume: { worker: 'w1', secret: offer.secret, received: 1 } })]));
    await clock.settle();
    expect(peer.news()).toMatchObject([
      [welcome, { worker: 'w2' }],
      [MessageType.ping, 1],
      [grant, 1, 1, '0', 'task 0'],
    ]);
  });

  it('goes on over the new connection while it still holds the old one for good, and listens to that no more', async () => {
    const { master, clock, peer, puts, back } = await setUp({ tasks: 1 });
    const next = await back(1);
    expect(peer.end).toMatch(/^1006/);
    expect(types(master)).toEqual(['workerConnected', 'workerResumed']);
    next.send([done, 1, 'x']);
    await clock.settle();
    expect(puts[0]?.()).toEqual({ status: 'fulfilled', value: 'x' });
  });

  it('gives it nothing new meanwhile, and asks its waiting leases back for who is idle', async () => {
    const { master, clock, network, puts } = await setUp({ tasks: 2 });
    network.lastLink.reset();
    await clock.advance(100);
    const other = await join(master, helloOf());
    void master.scheduler.put('new').catch(() => {});
    await clock.advance(2000);
    const granted = other.frames.flat().filter(([type]) => type === grant);
    expect(granted).toEqual([[grant, 1, 1, '2', 'new']]);
    other.send([done, 1, 'x']);
    await clock.advance(2100);
    expect(other.news()).toContainEqual([grant, 2, 1, '1', 'task 1']);
    expect(puts[1]?.().status).toBe('pending');
  });

  it.each([false, true])(
    'gives it nothing that it was about to take when it was lost (of a store: %s)',
    async (isLate) => {
      const { master, clock, network, peer } = await setUp({ tasks: 1 });
      const take = master.scheduler.take.bind(master.scheduler);
      let giveLate = (): void => {};
      if (isLate) {
        // A store that gives what it has found, though it was called back meanwhile.
        vi.spyOn(master.scheduler, 'take').mockImplementation((holder, max) => {
          const late = new Promise<void>((resolve) => {
            giveLate = resolve;
          });
          return late.then(() =>
            take(holder, max, { aborted: false, addEventListener() {}, removeEventListener() {} }),
          );
        });
      }
      peer.send([credit, 3, 0, 1]);
      await clock.settle();
      network.lastLink.reset();
      await clock.settle();
      void master.scheduler.put('new').catch(() => {});
      giveLate();
      await clock.advance(1000);
      expect(master.scheduler.stats()).toMatchObject({ queued: 1, running: 1 });
    },
  );

  it('tells it with the next ping what came, so that it need not keep it', async () => {
    const { master, clock, peer } = await setUp({ tasks: 1 });
    peer.send([MessageType.pong, 1]);
    await clock.advance(1000);
    expect(peer.frames.at(-1)).toEqual([
      [received, 2],
      [MessageType.ping, 2],
    ]);
    expect(master.sessions.list()).toHaveLength(1);
  });

  it('tells it what was cancelled meanwhile', async () => {
    const master = new VirtualMaster<string, string>({ resumeWindowMs: 5000 });
    const { clock, network, scheduler } = master;
    const controller = new AbortController();
    scheduler.put('a', { signal: controller.signal }).catch(() => {});
    scheduler.put('b').catch(() => {});
    const peer = await join(master, helloOf({ prefetch: 1, resume: true }));
    const { secret } = offerOf(peer.news());
    network.lastLink.reset();
    await clock.advance(100);
    controller.abort();
    const back = await join(master, helloOf({ resume: { worker: 'w1', secret, received: 1 } }));
    expect(back.frames.flat()).toContainEqual([cancel, 1, 'aborted']);
    expect(back.frames.flat()).not.toContainEqual([recall, 2]);
  });

  it('does not time an attempt out before it could tell that it was through', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 2, taskTimeoutMs: 1000 });
    network.lastLink.reset();
    await clock.advance(3000);
    expect(master.attempts).toEqual([]);
    const peer = await back(1);
    await clock.advance(500);
    // Deadlines are looked at.
    void master.scheduler.put('c', { timeout: 1 }).catch(() => {});
    peer.send([credit, 3, 0, 2]);
    await clock.advance(499);
    peer.send([done, 1, 'in time, for all that is known']);
    await clock.settle();
    expect(master.attempts).toContain('done 3999');
  });

  it('times an attempt out that does not tell within a second', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 1, taskTimeoutMs: 1000 });
    network.lastLink.reset();
    await clock.advance(3000);
    await back(1);
    await clock.advance(1000);
    expect(master.attempts).toEqual(['timeout 4000']);
  });

  it('times an attempt out whose worker is lost again and again, before it tells', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 1, taskTimeoutMs: 1000 });
    for (let round = 0; round < 20; round += 1) {
      network.lastLink.reset();
      await clock.advance(200);
      await back(1);
      await clock.advance(800);
    }
    // Put off at 200, as 1000 is within a second, at 1200 and so on to 4200.
    expect(master.attempts).toEqual(['timeout 5200']);
  });

  it('times it out even while it is away, if it is lost as soon as it is back each time', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 1, taskTimeoutMs: 1000 });
    for (let round = 0; round < 20; round += 1) {
      network.lastLink.reset();
      await clock.advance(900);
      await back(1);
    }
    // Put off at 900, 1800 and so on to 4500.
    expect(master.attempts).toEqual(['timeout 5500']);
  });

  it('counts that anew for an attempt whose time begins anew', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 0 });
    void master.scheduler.put('slow', { timeout: 1000, timeoutFrom: 'progress' }).catch(() => {});
    await clock.settle();
    for (let round = 1; round <= 10; round += 1) {
      network.lastLink.reset();
      await clock.advance(200);
      const peer = await back(2);
      peer.send([MessageType.progress, 1, round]);
      await clock.advance(800);
    }
    network.lastLink.reset();
    await clock.advance(2000);
    await back(2);
    await clock.advance(999);
    expect(master.attempts).toEqual([]);
    await clock.advance(1);
    expect(master.attempts).toEqual(['timeout 13000']);
  });

  it('pings it anew, and does not take the time that it was away for the length of the way', async () => {
    const { master, clock, network, back } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(3000);
    const peer = await back(1);
    const pings = peer.frames.flat().filter(([type]) => type === MessageType.ping);
    for (const [, nonce] of pings) if (typeof nonce === 'number') peer.send([MessageType.pong, nonce]);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ roundTrip: 0 }]);
    await clock.advance(3000);
    expect(peer.end).toMatch(/^1006/);
  });

  it.each<[string, (peer: WorkerPeer) => void]>([
    ['says goodbye', (peer) => peer.close(1000)],
    ['breaks the rules', (peer) => peer.send([done, 99, 1])],
    ['says nonsense', (peer) => peer.sendRaw('nonsense')],
  ])('releases its leases at once if it %s', async (_, act) => {
    const { master, clock, peer } = await setUp({ tasks: 1 });
    act(peer);
    await clock.settle();
    expect(types(master)).toEqual(['workerConnected', 'workerDisconnected']);
    expect(master.scheduler.stats()).toMatchObject({ queued: 1, running: 0 });
  });

  it('waits no longer than for the window, and for a result than for a second, however seldom it pings', async () => {
    const rare = { tasks: 1, taskTimeoutMs: 1000, socketTimeoutMs: 60_000 };
    const short = await setUp({ ...rare, resumeWindowMs: 100 });
    short.network.lastLink.reset();
    await short.clock.advance(100);
    expect(types(short.master).at(-1)).toBe('workerDisconnected');
    const long = await setUp(rare);
    long.network.lastLink.reset();
    await long.clock.advance(3000);
    await long.back(1);
    await long.clock.advance(1000);
    expect(long.master.attempts).toEqual(['timeout 4000']);
  });

  it('hears nothing that is said behind the hello, which comes once more', async () => {
    const { master, clock, network, offer } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    const peer = await master.connect();
    const hello = helloOf({ resume: { worker: 'w1', secret: offer.secret, received: 1 } });
    peer.send(hello, hello, [done, 1, 'x']);
    await clock.settle();
    expect(master.sessions.list()).toMatchObject([{ id: 'w1', isInterrupted: false, running: 1, done: 0 }]);
    expect(types(master)).toEqual(['workerConnected', 'workerInterrupted', 'workerResumed']);
  });

  it('does not wait for one that holds no leases', async () => {
    const { master, clock, network, peer } = await setUp({ tasks: 1 });
    peer.send([released, 1], [credit, 0, 0, 0]);
    await clock.settle();
    network.lastLink.reset();
    await clock.settle();
    expect(types(master)).toEqual(['workerConnected', 'workerDisconnected']);
  });

  it('does not wait at all with a window of 0, nor for a worker that cannot come back', async () => {
    for (const [resumeWindowMs, hello] of [
      [0, helloOf({ resume: true })],
      [5000, helloOf()],
    ] as const) {
      const master = new VirtualMaster<string, string>({ resumeWindowMs });
      void master.scheduler.put('a').catch(() => {});
      const peer = await join(master, hello);
      expect(peer.news()[0]).not.toHaveProperty('1.resume');
      master.network.lastLink.reset();
      await master.clock.settle();
      expect(types(master)).toEqual(['workerConnected', 'workerDisconnected']);
    }
  });

  it('ends it with all others when it stops, and leaves no timer', async () => {
    const { master, clock, network } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    const ended = follow(master.sessions.endAll(1001, 'The end'));
    await clock.settle();
    expect(ended().status).toBe('fulfilled');
    expect(types(master).at(-1)).toBe('workerDisconnected');
    expect(master.sessions.list()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('drains when the window is over, at the latest', async () => {
    const { master, clock, network } = await setUp({ tasks: 1 });
    network.lastLink.reset();
    await clock.advance(100);
    const drained = follow(master.sessions.drainAll());
    await clock.advance(4899);
    expect(drained().status).toBe('pending');
    await clock.advance(1);
    expect(drained().status).toBe('fulfilled');
  });

  it('waits anew each time', async () => {
    const { master, clock, network, back, puts } = await setUp({ tasks: 1 });
    let peer: WorkerPeer | undefined;
    for (let round = 0; round < 5; round += 1) {
      network.lastLink.reset();
      await clock.advance(4000);
      peer = await back(1);
    }
    peer?.send([done, 1, 'at last'], [received, 2]);
    await clock.settle();
    expect(puts[0]?.()).toEqual({ status: 'fulfilled', value: 'at last' });
    expect(master.attempts).toEqual(['done 20000']);
  });
});
