// A worker that offers to run more than its master wants to lose with it.
import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

async function setUp(concurrency: number, prefetch: number | 'auto') {
  const master = new VirtualMaster<string, string>({ maxConcurrency: 3 });
  for (let task = 0; task < 20; task += 1) void master.scheduler.put('task').catch(() => {});
  const peer = await master.connect();
  peer.send(helloOf({ concurrency, prefetch }));
  await master.clock.settle();
  const granted = (): number => peer.news().filter(([type]) => type === MessageType.grant).length;
  return { master, peer, granted };
}

describe('`maxConcurrency`', () => {
  it.each([5, 'auto'] as const)('bounds what one worker holds, with a prefetch of %s', async (prefetch) => {
    const { master, granted } = await setUp(1000, prefetch);
    expect(granted()).toBe(3);
    expect(master.sessions.list()).toMatchObject([{ concurrency: 3, prefetch: 0, credit: 3, running: 3 }]);
  });

  it('bounds what it asks for later, too', async () => {
    const { master, peer, granted } = await setUp(1, 0);
    expect(granted()).toBe(1);
    peer.send([MessageType.credit, 65_536, 65_536, 1]);
    await master.clock.settle();
    expect(granted()).toBe(2);
    expect(master.sessions.list()).toMatchObject([{ concurrency: 3, prefetch: 0 }]);
  });

  it('bounds what counts as lost with one worker, whatever it says that it runs', async () => {
    const { master, peer } = await setUp(1, 65_536);
    expect(master.sessions.list()).toMatchObject([{ concurrency: 1, prefetch: 4096, running: 1, waiting: 19 }]);
    peer.send([MessageType.credit, 1, 65_536, 20]);
    await master.clock.settle();
    expect(master.sessions.list()).toMatchObject([{ running: 3, waiting: 17 }]);
    // As only what has started can tell.
    for (let lease = 1; lease <= 20; lease += 1) peer.send([MessageType.progress, lease, null]);
    await master.clock.settle();
    expect(master.sessions.list()).toMatchObject([{ running: 20 }]);
    master.network.lastLink.reset();
    await master.clock.settle();
    expect(master.attempts.filter((attempt) => attempt.startsWith('lost'))).toHaveLength(3);
    expect(master.scheduler.stats().total.losses).toBe(3);
  });

  it('leaves those alone who offer no more', async () => {
    const { granted } = await setUp(3, 2);
    expect(granted()).toBe(5);
  });
});
