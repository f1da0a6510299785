import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Logger } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

const write = (): never => {
  throw new Error('the log is full');
};
const logger: Logger = { debug: write, info: write, warn: write, error: write };

describe('a logger that throws', () => {
  it('stops neither a master from serving and stopping, nor a worker from connecting again', async () => {
    const first = await Cluster.start<number, number>({ logger });
    const port = first.master.address?.port ?? 0;
    const worker = await first.join((n) => n * 2, { logger, reconnect: { base: 5, cap: 20 } });
    await expect(first.scheduler.put(1)).resolves.toBe(2);
    const refused = nextMasterEvent(first.master, 'connectionRefused');
    const stranger = await first.connectRaw('taskdist.v2.json');
    expect([(await refused).code, (await stranger.closed).code]).toEqual([4406, 4406]);
    await expect(first.scheduler.put(2)).resolves.toBe(4);
    const connected = nextWorkerEvent(worker, 'connected');
    await first.master.stop();
    const second = await Cluster.start<number, number>({ port, logger });
    await connected;
    await expect(second.scheduler.put(3)).resolves.toBe(6);
  });

  it('does not stop a master from trying again to listen', async () => {
    const blocker = createServer();
    blocker.listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const { master } = new Cluster({ port, logger, listenTimeout: 20 });
    await expect(master.start()).rejects.toMatchObject({ code: 'TASKDIST_LISTEN' });
    const listening = nextMasterEvent(master, 'listening');
    blocker.close();
    expect((await listening).address.port).toBe(port);
  });
});
