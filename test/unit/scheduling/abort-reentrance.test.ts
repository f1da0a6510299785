import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { follow, TestHolder } from '../../support/holders.ts';
import { TestScheduler } from '../../support/scheduler.ts';

function setUp() {
  const scheduler = new TestScheduler<unknown, unknown>();
  scheduler.open();
  return { scheduler, holder: new TestHolder(scheduler) };
}

/** What a revoked lease sets off may come back to the scheduler while it is still aborting. */
describe('many tasks with one signal', () => {
  it('are each settled once if the scheduler is closed while they are aborted', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcomes = [1, 2, 3].map((task) => follow(scheduler.put(task, { signal: controller.signal })));
    await holder.takeNow(2);
    const stopped = new TaskdistError('TASKDIST_STOPPED', 'stopped');
    holder.onRevoke = () => scheduler.close(stopped);
    controller.abort('why');
    await nextTurn();
    expect(outcomes.map((outcome) => outcome())).toEqual([
      { status: 'rejected', reason: 'why' },
      { status: 'rejected', reason: stopped },
      { status: 'rejected', reason: stopped },
    ]);
    expect(holder.revoked).toHaveLength(1);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });

  it('are each settled once if one of them ends while another is aborted', async () => {
    const { scheduler, holder } = setUp();
    const controller = new AbortController();
    const outcomes = [1, 2].map((task) => follow(scheduler.put(task, { signal: controller.signal })));
    const [, second] = await holder.takeNow(2);
    holder.onRevoke = () => scheduler.complete(second as Lease<unknown>, 'in time');
    controller.abort('why');
    await nextTurn();
    expect(outcomes.map((outcome) => outcome().status)).toEqual(['rejected', 'fulfilled']);
    expect([scheduler.queued, scheduler.leased]).toEqual([0, 0]);
  });
});
