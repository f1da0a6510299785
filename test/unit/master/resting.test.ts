// A worker that its scheduler has rest, as it gives nothing that counts.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PrefetchWindow } from '../../../src/master/prefetch-window.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, failed, pong } = MessageType;

/** A master of so many tasks, all of them verified, and a worker that fails whatever it is granted. */
async function setUp(concurrency: number, prefetch = 0) {
  const options = { verify: { quorum: 2 }, maxAttempts: 100, backoff: { base: 0 } };
  const master = new VirtualMaster<string, string>({ taskTimeoutMs: 600_000, socketTimeoutMs: 600_000 }, options);
  for (let task = 0; task < 200; task += 1) void master.scheduler.put(`task ${task}`).catch(() => {});
  // Somebody else has been at one for a second.
  const busy = await master.connect();
  busy.send(helloOf({ name: 'busy', concurrency: 1, prefetch: 0 }));
  await master.clock.advance(1000);
  const peer = await master.connect();
  peer.send(helloOf({ concurrency, prefetch }));
  await master.clock.settle();
  peer.send([pong, 1]);
  /** Fails all that has been granted, and returns how much that was. */
  const failAll = async (): Promise<number> => {
    await master.clock.settle();
    const grants = peer.news().filter(([type]) => type === grant);
    for (const [, lease] of grants) peer.send([failed, Number(lease), { name: 'Error', message: 'no' }]);
    await master.clock.settle();
    return grants.length;
  };
  return { clock: master.clock, master, failAll };
}

describe('a worker that is to rest', () => {
  it('is granted nothing until it has', async () => {
    const { clock, master, failAll } = await setUp(1);
    expect(await failAll()).toBe(1);
    expect(master.sessions.list()[1]).toMatchObject({ credit: 0 });
    await clock.advance(999);
    expect(await failAll()).toBe(0);
    await clock.advance(1);
    expect(await failAll()).toBe(1);
  });

  it('rests for all of them one after the other, however many slots it claims to have', async () => {
    const { clock, failAll } = await setUp(4);
    expect(await failAll()).toBe(4);
    await clock.advance(3999);
    expect(await failAll()).toBe(0);
    await clock.advance(1);
    expect(await failAll()).toBe(4);
  });

  it('does not count as one whose window is full, and too small', async () => {
    const noteFull = vi.spyOn(PrefetchWindow.prototype, 'noteFull');
    onTestFinished(() => noteFull.mockRestore());
    const { clock, failAll } = await setUp(1);
    await clock.settle();
    noteFull.mockClear();
    expect(await failAll()).toBe(1);
    expect(noteFull).not.toHaveBeenCalled();
  });

  it('rests for a minute at most', async () => {
    const { clock, failAll } = await setUp(1, 99);
    expect(await failAll()).toBe(100);
    await clock.advance(59_999);
    expect(await failAll()).toBe(0);
    await clock.advance(1);
    expect(await failAll()).toBeGreaterThan(0);
  });
});
