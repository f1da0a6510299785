// From the hello to the welcome, where the master finds out who the worker is.
import { describe, expect, it } from 'vitest';
import { type Authenticate, createAuthenticator, type Identity } from '../../../src/master/authentication.ts';
import { Guest } from '../../../src/master/guest.ts';
import { silentLogger } from '../../../src/ports.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const HELLO_TIMEOUT_MS = 500;
const SECRET = 's3cr3t';

class AdmissionTest {
  readonly log: unknown[][] = [];
  readonly master: VirtualMaster;

  constructor(authenticate: Authenticate) {
    const logger = { ...silentLogger, error: (...words: unknown[]) => this.log.push(words) };
    this.master = new VirtualMaster({
      helloTimeoutMs: HELLO_TIMEOUT_MS,
      authenticate: createAuthenticator(authenticate, logger),
    });
  }

  async connect(...[description]: Parameters<typeof helloOf>): Promise<WorkerPeer> {
    const peer = await this.master.connect();
    peer.send(helloOf({ token: SECRET, ...description }));
    await this.master.clock.settle();
    return peer;
  }
}

/** An answer that the test gives when it likes. */
function pending(): { authenticate: Authenticate; answer(answer: boolean | Identity): void; fail(error: Error): void } {
  let settle: { resolve(answer: boolean | Identity): void; reject(error: Error): void } | undefined;
  return {
    authenticate: () =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
      }),
    answer: (answer) => settle?.resolve(answer),
    fail: (error) => settle?.reject(error),
  };
}

const typesOf = (peer: WorkerPeer): number[] => peer.news().map(([type]) => type);

describe('a master that authenticates', () => {
  it('asks with the token and the name of the worker, and lets it in by itself', async () => {
    const asked: unknown[][] = [];
    const test = new AdmissionTest((...question) => {
      asked.push(question);
      return true;
    });
    const peer = await test.connect({ name: 'Ada' });
    expect(asked).toEqual([[SECRET, { address: '', headers: {}, url: '/', name: 'Ada' }]]);
    expect(typesOf(peer)).toEqual([MessageType.welcome, MessageType.ping]);
    expect(test.master.sessions.list()[0]).not.toHaveProperty('identity');
  });

  it.each<[string, (identity: Identity) => Identity | Promise<Identity>]>([
    ['at once', (identity) => identity],
    ['later', async (identity) => identity],
  ])('knows who the worker is, if it is told %s', async (_when, tell) => {
    const test = new AdmissionTest(() => tell({ id: 'ada@example.org', isTrusted: true }));
    const peer = await test.connect();
    expect(typesOf(peer)).toEqual([MessageType.welcome, MessageType.ping]);
    expect(test.master.sessions.list()).toMatchObject([{ name: 'peer', identity: 'ada@example.org' }]);
  });

  it.each<[string, Authenticate]>([
    ['at once', () => false],
    ['later', async () => false],
  ])('refuses for good whose token it does not take, %s', async (_when, authenticate) => {
    const test = new AdmissionTest(authenticate);
    const peer = await test.connect();
    expect(peer.end).toBe('4401 The master does not take this token');
    expect(peer.news()).toEqual([]);
    expect(test.master.events).toEqual([
      { type: 'connectionRefused', code: 4401, reason: 'The master does not take this token' },
    ]);
  });

  it('tells who has no token that there must be one', async () => {
    const test = new AdmissionTest((token) => token !== undefined);
    const peer = await test.master.connect();
    peer.send(helloOf());
    await test.master.clock.settle();
    expect(peer.end).toBe('4401 The master asks for a token (`token`)');
  });

  it.each<[string, Authenticate]>([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])(
    'lets nobody in while its function %s, says so in its log, and lets them try again',
    async (_what, authenticate) => {
      const test = new AdmissionTest(authenticate);
      const peer = await test.connect();
      expect(peer.end).toBe('4500 The master could not find out who this is');
      expect(test.log).toEqual([['`authenticate` failed: no database', expect.any(Error)]]);
    },
  );

  it.each([undefined, null, 'yes', 1, {}, { id: '' }, { id: 'x'.repeat(257) }, { id: 7 }])(
    'lets nobody in for an answer that is none: %j',
    async (answer) => {
      // @ts-expect-error: not an answer
      const test = new AdmissionTest(() => answer);
      const peer = await test.connect();
      expect(peer.end).toBe('4500 The master could not find out who this is');
      expect(test.log).toHaveLength(1);
    },
  );

  it('never says the token: not to the peer, in an event, or in its log', async () => {
    for (const authenticate of [() => false, () => JSON.parse('7'), () => JSON.parse('{')] satisfies Authenticate[]) {
      const test = new AdmissionTest(authenticate);
      const peer = await test.connect();
      expect(JSON.stringify([peer.end, peer.frames, test.master.events, test.log])).not.toContain(SECRET);
    }
  });

  it('lets hello and the answer have the same time together', async () => {
    const { authenticate } = pending();
    const test = new AdmissionTest(authenticate);
    const peer = await test.master.connect();
    await test.master.clock.advance(HELLO_TIMEOUT_MS - 100);
    peer.send(helloOf());
    await test.master.clock.advance(99);
    expect(peer.end).toBeUndefined();
    await test.master.clock.advance(1);
    expect(peer.end).toBe('4500 It was not known in time who this is (`helloTimeout`)');
    await test.master.clock.advance(60_000);
    expect(test.master.clock.pendingTimers).toBe(0);
  });

  it('takes no time away from who has been let in', async () => {
    const test = new AdmissionTest(async () => true);
    const peer = await test.connect();
    await test.master.clock.advance(HELLO_TIMEOUT_MS * 2);
    expect(peer.end).toBeUndefined();
    expect(test.master.sessions.list()).toHaveLength(1);
  });

  it.each<[string, boolean]>([
    ['in the same frame', true],
    ['in frames of their own', false],
  ])('goes by the last credit that comes meanwhile, %s', async (_how, isOneFrame) => {
    const { authenticate, answer } = pending();
    const test = new AdmissionTest(authenticate);
    for (let task = 0; task < 9; task += 1) void test.master.scheduler.put(task);
    const peer = await test.master.connect();
    const messages = [
      helloOf({ concurrency: 1 }),
      [MessageType.credit, 5, 0, 0],
      [MessageType.credit, 3, 'auto', 0],
    ] as const;
    if (isOneFrame) peer.send(...messages);
    else for (const message of messages) peer.send(message);
    await test.master.clock.settle();
    expect(peer.news()).toEqual([]);
    answer(true);
    await test.master.clock.settle();
    expect(typesOf(peer).slice(0, 5)).toEqual([
      MessageType.welcome,
      MessageType.ping,
      MessageType.grant,
      MessageType.grant,
      MessageType.grant,
    ]);
    expect(test.master.sessions.list()).toMatchObject([{ concurrency: 3, prefetch: 'auto' }]);
  });

  it('grants nothing, and takes nothing from the scheduler, before it knows', async () => {
    const { authenticate, answer } = pending();
    const test = new AdmissionTest(authenticate);
    void test.master.scheduler.put(1);
    await test.connect();
    expect(test.master.scheduler.leased).toBe(0);
    answer(true);
    await test.master.clock.settle();
    expect(test.master.scheduler.leased).toBe(1);
  });

  it.each([
    ['an answer', [MessageType.done, 1, 1]],
    ['progress', [MessageType.progress, 1, 1]],
    ['a pong', [MessageType.pong, 1]],
    ['a second hello', helloOf()],
  ] as const)('ends the connection for %s that comes meanwhile', async (_what, message) => {
    const test = new AdmissionTest(pending().authenticate);
    const peer = await test.connect();
    peer.send(message);
    await test.master.clock.settle();
    expect(peer.end).toBe('4409 Before the welcome, there is only credit to be told of');
  });

  it('ends the connection for a flood that comes meanwhile', async () => {
    const test = new AdmissionTest(pending().authenticate);
    const peer = await test.connect();
    for (let count = 0; count < 1000; count += 1) peer.send([MessageType.credit, 1, 0, 0]);
    await test.master.clock.settle();
    expect(peer.end).toBeUndefined();
    peer.send([MessageType.credit, 1, 0, 0]);
    await test.master.clock.settle();
    expect(peer.end).toBe('4429 Too many messages before the welcome');
  });

  it.each([
    ['frames without messages', Uint8Array.of(0x90)],
    ['news that are none of what has come', Uint8Array.of(0x91, 0x92, MessageType.received, 0)],
  ])('ends the connection for a flood of what says nothing: %s', async (_what, frame) => {
    const test = new AdmissionTest(pending().authenticate);
    const peer = await test.connect({ resume: true });
    for (let count = 0; count <= 1000; count += 1) peer.sendRaw(frame);
    await test.master.clock.settle();
    expect(peer.end).toBe('4429 Too many messages before the welcome');
  });

  it('says nothing before the welcome, not even how much has come', async () => {
    const { authenticate, answer } = pending();
    const test = new AdmissionTest(authenticate);
    const peer = await test.connect({ resume: true });
    for (let count = 0; count < 100; count += 1) peer.send([MessageType.credit, 1, 0, 0]);
    await test.master.clock.settle();
    expect(peer.frames).toEqual([]);
    answer(true);
    await test.master.clock.settle();
    expect(typesOf(peer)[0]).toBe(MessageType.welcome);
  });

  it.each<[string, (peer: WorkerPeer, master: VirtualMaster) => void]>([
    ['the peer leaves', (peer) => peer.close(1000, 'never mind')],
    ['the master stops', (_peer, master) => void master.sessions.endAll(1001, 'never mind')],
  ])('does nothing with an answer that comes when %s', async (_what, end) => {
    const { authenticate, answer } = pending();
    const test = new AdmissionTest(authenticate);
    const peer = await test.connect();
    end(peer, test.master);
    await test.master.clock.settle();
    answer({ id: 'ada' });
    await test.master.clock.settle();
    expect(test.master.events).toMatchObject([{ type: 'connectionRefused', reason: 'never mind' }]);
    expect(test.master.clock.pendingTimers).toBe(0);
  });

  it.each<[string, (test: AdmissionTest, peer: WorkerPeer) => void]>([
    ['has broken off meanwhile', (test) => test.master.network.lastLink.reset()],
    ['has said goodbye meanwhile', (_test, peer) => peer.close(1000)],
    ['has waited for too long', () => {}],
  ])('holds a refused token against an address that %s', async (_what, leave) => {
    const { authenticate, answer } = pending();
    const test = new AdmissionTest(authenticate);
    const ends: number[] = [];
    const book = { greeted: () => {}, left: () => {}, ended: (_guest: Guest, code: number) => ends.push(code) };
    const guest = new Guest(book, { address: '192.0.2.1', headers: {}, url: '/' }, '192.0.2.1');
    test.master.network.listen(test.master.clock, (adopt) => test.master.sessions.accept(adopt, guest));
    leave(test, await test.connect());
    await test.master.clock.advance(HELLO_TIMEOUT_MS);
    expect(ends).not.toContain(4401);
    answer(false);
    await test.master.clock.settle();
    expect(ends.filter((code) => code === 4401)).toEqual([4401]);
  });

  it('ends the one connection if the scheduler fails as it lets it in', async () => {
    const test = new AdmissionTest(async () => true);
    test.master.scheduler.join = () => {
      throw new Error('full');
    };
    const peer = await test.connect();
    expect(peer.end).toBe('4500 Internal error: full');
  });
});
