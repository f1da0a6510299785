// Who stands behind a connection, as the scheduler and sessions that go on take it.
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/master/authentication.ts';
import { MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const { welcome, grant, done } = MessageType;

/** Who a token stands for: its first word; trusted, if that is its second. */
function judge(token: string | undefined): Verdict {
  if (token === undefined) return { kind: 'let in', identity: undefined };
  const [id = '', second] = token.split(' ');
  return { kind: 'let in', identity: { id, isTrusted: second === 'trusted' } };
}

function setUp() {
  const master = new VirtualMaster<string, string>(
    { authenticate: judge, resumeWindowMs: 5000 },
    { verify: { quorum: 2 } },
  );
  const join = async (token: string | undefined, more: object = {}): Promise<WorkerPeer> => {
    const peer = await master.connect();
    peer.send(helloOf({ ...(token === undefined ? {} : { token }), ...more }));
    await master.clock.settle();
    return peer;
  };
  const grants = (peer: WorkerPeer): number => peer.frames.flat().filter(([type]) => type === grant).length;
  const answer = async (peer: WorkerPeer, result: string): Promise<void> => {
    peer.send([done, 1, result] satisfies WorkerMessage);
    await master.clock.settle();
  };
  return { master, join, grants, answer };
}

describe('a verified task', () => {
  it('is not given to two connections of one person', async () => {
    const { master, join, grants, answer } = setUp();
    const put = follow(master.scheduler.put('task'));
    const first = await join('ada');
    const second = await join('ada');
    expect([grants(first), grants(second)]).toEqual([1, 0]);
    await answer(first, 'x');
    expect([grants(second), put().status]).toEqual([0, 'pending']);
    const other = await join('bob');
    await answer(other, 'x');
    expect(put()).toEqual({ status: 'fulfilled', value: 'x' });
  });

  it('is given to two that nobody knows', async () => {
    const { master, join, answer } = setUp();
    const put = follow(master.scheduler.put('task'));
    for (const peer of [await join(undefined), await join(undefined)]) await answer(peer, 'x');
    expect(put()).toEqual({ status: 'fulfilled', value: 'x' });
  });

  it('is done by one who is trusted outright', async () => {
    const { master, join, answer } = setUp();
    const put = follow(master.scheduler.put('task'));
    await answer(await join('ada trusted'), 'x');
    expect(put()).toEqual({ status: 'fulfilled', value: 'x' });
  });
});

describe('a session whose connection is lost', () => {
  it.each(['bob', undefined, 'ada2'])(
    'goes on with nobody but whose it is, whatever the secret: not with %s',
    async (token) => {
      const { master, join } = setUp();
      void master.scheduler.put('task').catch(() => {});
      await join('ada', { resume: true });
      master.network.lastLink.reset();
      await master.clock.settle();
      const resume = { worker: 'w1', secret: 'secret 1', received: 1 };
      const stranger = await join(token, { resume });
      expect(stranger.news()[0]).not.toHaveProperty('1.resume.received');
      const owner = await join('ada', { resume });
      expect(owner.news()[0]).toMatchObject([welcome, { worker: 'w1', resume: { received: 1 } }]);
    },
  );

  it.each([
    ['ada trusted', 'ada'],
    ['ada', 'ada trusted'],
  ])('does not go on with another trust than it had: %s, then %s', async (before, after) => {
    const { master, join } = setUp();
    void master.scheduler.put('task').catch(() => {});
    await join(before, { resume: true });
    master.network.lastLink.reset();
    await master.clock.settle();
    const peer = await join(after, { resume: { worker: 'w1', secret: 'secret 1', received: 1 } });
    expect(peer.news()[0]).toMatchObject([welcome, { worker: 'w2' }]);
  });
});
