import { once } from 'node:events';
import { createServer } from 'node:http';
import { FifoScheduler, Master, type MasterOptions } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nextMasterEvent } from './cluster.ts';

function createMaster(options: MasterOptions = { port: 0 }): Master<number, number> {
  const master = new Master(new FifoScheduler<number, number>(), options);
  onTestFinished(() => master.stop());
  return master;
}

describe('a master that is stopped before it listens', () => {
  it('rejects start() with TASKDIST_STOPPED, and can be started again', async () => {
    const master = createMaster();
    const started = master.start().then(
      () => 'listening',
      (error: unknown) => error,
    );
    await master.stop();
    expect(await started).toMatchObject({ code: 'TASKDIST_STOPPED' });
    expect(master.address).toBeUndefined();
    await master.start();
    expect(master.address?.port).toBeGreaterThan(0);
  });

  it('settles start() and every stop() when all are called in one turn', async () => {
    const master = createMaster();
    const settled = await Promise.allSettled([master.start(), master.stop(), master.stop()]);
    expect(settled).toMatchObject([
      { status: 'rejected', reason: { code: 'TASKDIST_STOPPED' } },
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
  });

  it('leaves start() fulfilled if it listened already', async () => {
    const master = createMaster();
    const listening = nextMasterEvent(master, 'listening');
    const started = master.start();
    await listening;
    await master.stop();
    await expect(started).resolves.toBeUndefined();
  });

  it('settles start() on a server of the user’s, too', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const master = createMaster({ server });
    const [started, stopped] = await Promise.allSettled([master.start(), master.stop()]);
    expect([started.status, stopped.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});
