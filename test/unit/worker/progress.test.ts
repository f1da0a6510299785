import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, cancel, done, released, progress } = MessageType;

/** A worker that runs `a`, and the context of that attempt. */
async function setUp() {
  const set = await pendingWorker({ grace: 200 });
  const { clock, master, handler } = set;
  master.send([grant, 1, 2, 'a', 'a']);
  await clock.settle();
  const context = handler.contexts.get('a') ?? expect.unreachable('It has not started');
  return { ...set, context };
}

describe('the progress of an attempt', () => {
  it('is sent to the master, in its order, before the result', async () => {
    const { clock, master, handler, context } = await setUp();
    context.progress(0.5);
    await clock.settle();
    expect(master.news()).toEqual([[progress, 1, 0.5]]);
    context.progress({ percent: 99 });
    context.progress(undefined);
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([
      [progress, 1, { percent: 99 }],
      [progress, 1, undefined],
      [done, 1, 'result'],
    ]);
  });

  it('is told of by an event', async () => {
    const { world, context } = await setUp();
    const told: unknown[] = [];
    world.worker.on('taskProgress', (event) => told.push(event));
    context.progress(0.5);
    expect(told).toEqual([{ type: 'taskProgress', key: 'a', attempt: 2, task: 'a', value: 0.5 }]);
  });

  it('is sent of a handler that answers at once', async () => {
    const doTask = (task: unknown, context: TaskContext): unknown => {
      context.progress('half');
      return task;
    };
    const { clock, master } = await new VirtualWorker(doTask).connect();
    master.last.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [progress, 1, 'half'],
      [done, 1, 'a'],
    ]);
  });

  it('is of no interest once the attempt is over', async () => {
    const { clock, master, handler, context } = await setUp();
    handler.finish('a');
    await clock.settle();
    master.news();
    context.progress('late');
    context.progress(() => {});
    await clock.settle();
    expect(master.news()).toEqual([]);
  });

  it('is of no interest once the attempt is called off', async () => {
    const { clock, master, context, world } = await setUp();
    const told: unknown[] = [];
    world.worker.on('taskProgress', (event) => told.push(event));
    master.send([cancel, 1, 'aborted']);
    await clock.settle();
    context.progress('late');
    await clock.advance(200);
    expect(master.news()).toEqual([[released, 1]]);
    context.progress('later still');
    await clock.settle();
    expect([master.news(), told]).toEqual([[], []]);
  });

  it.each([
    ['cannot be sent', () => 1, { code: 'TASKDIST_NOT_SERIALIZABLE' }],
    ['is too large', 'x'.repeat(100_001), { code: 'TASKDIST_TOO_LARGE' }],
  ])('throws in the handler if it %s, and the attempt goes on', async (_what, value, error) => {
    const { clock, master, handler, context, world } = await setUp();
    const told: unknown[] = [];
    world.worker.on('taskProgress', (event) => told.push(event));
    expect(() => context.progress(value)).toThrow(expect.objectContaining(error));
    context.progress('goes on');
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([
      [progress, 1, 'goes on'],
      [done, 1, 'result'],
    ]);
    expect(told).toMatchObject([{ value: 'goes on' }]);
  });

  it('goes nowhere when the connection is lost', async () => {
    const { clock, world, context } = await setUp();
    world.network.lastLink.reset();
    await clock.settle();
    context.progress('for nobody');
    await clock.advance(500);
    await world.welcome();
    await clock.settle();
    expect(world.master.last.news()).toEqual([]);
  });
});
