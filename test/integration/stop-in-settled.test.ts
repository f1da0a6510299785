// Who stops the master when it hears that a task is over may be told so by its stop.
import { expect, it } from 'vitest';
import { Cluster } from './cluster.ts';

it('resolves every stop() of a Master that is stopped again while it stops', async () => {
  const cluster = await Cluster.start<number, number>();
  const { scheduler, master } = cluster;
  await cluster.join(async (task) => task, { accepts: [] });
  const put = scheduler.put(1);
  put.catch(() => {});
  let inner: Promise<void> | undefined;
  scheduler.on('settled', () => {
    inner = master.stop();
  });
  await master.stop();
  await inner;
  await expect(put).rejects.toMatchObject({ code: 'TASKDIST_STOPPED' });
});
