// Whether a page is let in by its master.
import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { createWorker, join, startMaster } from './cluster.ts';

const none = (): null => null;

describe('a page', () => {
  it('is not let in by a master that does not know its origin, and tries again', async () => {
    const port = await startMaster({ origins: ['https://example.org'] });
    const worker = createWorker(port, none);
    await expect(worker.start()).rejects.toMatchObject({ code: 'TASKDIST_CONNECT' });
    expect(worker.state).toBe('waiting');
    expect(await commands.listWorkers(port)).toEqual([]);
  });

  it('is let in with its token', async () => {
    const port = await startMaster({}, ['secret']);
    await join(port, none, { name: 'a page', token: async () => 'secret' });
    expect(await commands.listWorkers(port)).toMatchObject([{ name: 'a page' }]);
  });

  it('is told that its token is not taken, and stops for good', async () => {
    const port = await startMaster({}, ['secret']);
    const worker = createWorker(port, none, { token: 'wrong' });
    await expect(worker.start()).rejects.toMatchObject({ code: 'TASKDIST_REFUSED' });
    await expect.poll(() => worker.state).toBe('stopped');
  });
});
