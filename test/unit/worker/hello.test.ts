// What a worker says of itself.
import { describe, expect, it } from 'vitest';
import type { TaskFunction, TaskHandler } from '../../../src/handler.ts';
import { handlers } from '../../../src/handlers.ts';
import type { Labels } from '../../../src/labels.ts';
import type { WorkerDescription } from '../../../src/protocol/messages.ts';
import type { WorkerOptions } from '../../../src/worker/options.ts';
import { VirtualWorker } from '../../support/worker.ts';

const none = (): null => null;

/** The description in the hello of a worker. */
async function helloOf(
  options: WorkerOptions<unknown> = {},
  handler: TaskHandler<unknown, unknown> | TaskFunction<unknown, unknown> = none,
): Promise<WorkerDescription> {
  const { worker, clock, master } = new VirtualWorker<unknown, unknown>(handler, options);
  void worker.start();
  await clock.settle();
  const [message] = master.last.news();
  return message?.[0] === 0 ? message[1] : expect.unreachable('Not a hello');
}

describe('the hello of a Worker', () => {
  it('leaves the prefetch to the master, and has neither labels nor choice, unless it is told otherwise', async () => {
    expect(await helloOf()).toEqual({
      version: 1,
      name: 'virtual',
      platform: 'virtual',
      concurrency: 1,
      prefetch: 'auto',
      resume: true,
    });
    expect(await helloOf({ prefetch: 7 })).toMatchObject({ prefetch: 7 });
    expect(await helloOf({ prefetch: 0 })).toMatchObject({ prefetch: 0 });
  });

  it('has the labels that it was given, whatever becomes of that object', async () => {
    const labels: { gpu: boolean; memory: number; region: string } = { gpu: true, memory: 8, region: 'eu' };
    const world = new VirtualWorker(none, { labels });
    labels.gpu = false;
    void world.worker.start();
    await world.clock.settle();
    expect(world.master.last.news()).toMatchObject([[0, { labels: { gpu: true, memory: 8, region: 'eu' } }]]);
  });

  it('names the types that it was given, whatever becomes of that list', async () => {
    const accepts = ['a'];
    const world = new VirtualWorker(none, { accepts });
    accepts.push('b');
    void world.worker.start();
    await world.clock.settle();
    expect(world.master.last.news()).toMatchObject([[0, { accepts: ['a'] }]]);
  });

  it('names the types that its handler has functions for', async () => {
    const handler = handlers({ a: (task: { type: 'a' }) => task.type, b: (task: { type: 'b' }) => task.type });
    const world = new VirtualWorker(handler, {});
    void world.worker.start();
    await world.clock.settle();
    expect(world.master.last.news()).toMatchObject([[0, { accepts: ['a', 'b'] }]]);
  });

  it('names the types of the option rather than those of the handler', async () => {
    const handler = { doTask: none, accepts: ['a', 'b'] };
    expect((await helloOf({}, handler)).accepts).toEqual(['a', 'b']);
    expect((await helloOf({ accepts: ['b'] }, handler)).accepts).toEqual(['b']);
    // A predicate is asked for each task of the handler's types.
    expect((await helloOf({ accepts: () => true }, handler)).accepts).toEqual(['a', 'b']);
    expect(await helloOf({ accepts: () => true })).not.toHaveProperty('accepts');
  });
});

describe('labels of a worker', () => {
  it.each<[unknown, string]>([
    [null, 'Expected `labels` to be a plain object, got null'],
    [['gpu'], 'Expected `labels` to be a plain object, got an array'],
    [new Map([['gpu', true]]), 'Expected `labels` to be a plain object, got an object'],
    [
      { gpu: null },
      'Expected `labels.gpu` to be a string of at most 256 characters, a finite number or a boolean, got null',
    ],
    [{ gpu: Number.NaN }, 'Expected `labels.gpu` to be a string of at most 256 characters, a finite number'],
    [{ gpu: [1] }, 'Expected `labels.gpu` to be a string of at most 256 characters, a finite number'],
  ])('that are none are refused: %j', (labels, message) => {
    expect(() => new VirtualWorker(none, { labels: labels as Labels })).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});

describe('a wrong option', () => {
  it('of the handler is refused like that of the worker', () => {
    expect(() => new VirtualWorker({ doTask: none, accepts: [1] as never })).toThrow(
      'Expected `accepts` to be a list of at most 1024 task types',
    );
  });

  it.each([-1, 1.5, 65_537, Number.POSITIVE_INFINITY, 'auto ', null, true])(
    'is refused that is no prefetch: %s',
    (prefetch) => {
      expect(() => new VirtualWorker(none, { prefetch: prefetch as never })).toThrow(
        "Expected `prefetch` to be 'auto', or an integer from 0 to 65536, got",
      );
    },
  );
});
