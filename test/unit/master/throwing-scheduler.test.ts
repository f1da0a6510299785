// A scheduler over a store that fails where nobody waits for its answer.
import { expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

it('ends the connection if it fails as it hears of a changed load, and raises nothing', async () => {
  const master = new VirtualMaster<unknown, unknown>();
  const peer = await master.connect();
  peer.send(helloOf({ concurrency: 2 }));
  await master.clock.settle();
  void master.scheduler.put('a').catch(() => {});
  await master.clock.settle();
  master.scheduler.loadChanged = () => {
    throw new Error('the store is gone');
  };
  const [lease] = peer.news().flatMap((message) => (message[0] === MessageType.grant ? [message[1]] : []));
  peer.send([MessageType.done, lease ?? 0, null]);
  await master.clock.settle();
  expect(peer.end).toBe('4500 The scheduler failed: the store is gone');
});

it('ends the connection if a lease fails as it is looked whom it suits, and raises nothing', async () => {
  const master = new VirtualMaster<unknown, unknown>();
  const { scheduler, clock } = master;
  const busy = await master.connect();
  busy.send(helloOf({ concurrency: 1, prefetch: 3 }));
  await clock.settle();
  const take = scheduler.take.bind(scheduler);
  const sabotage = <L extends object>(leases: L[]): L[] => {
    for (const lease of leases)
      Object.defineProperty(lease, 'suits', {
        value: () => {
          throw new Error('the store is gone');
        },
      });
    return leases;
  };
  scheduler.take = (...args) => {
    const taken = take(...args);
    return Array.isArray(taken) ? sabotage(taken) : taken.then(sabotage);
  };
  // Its `take` that is under way was asked for before: this one is for that.
  void scheduler.put('first').catch(() => {});
  await clock.advance(1);
  for (let n = 0; n < 3; n += 1) void scheduler.put(n).catch(() => {});
  await clock.advance(1);
  const idle = await master.connect();
  idle.send(helloOf({ concurrency: 1 }));
  await clock.advance(3000);
  expect([busy.end, idle.end].some((end) => end?.startsWith('4500'))).toBe(true);
});
