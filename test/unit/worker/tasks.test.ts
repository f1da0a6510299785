import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import type { WorkerOptions } from '../../../src/worker/options.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, cancel, done, failed, rejected, released, credit } = MessageType;

/** A handler whose tasks, by name, go on until the test ends them. */
class Pending {
  readonly contexts = new Map<unknown, TaskContext>();
  readonly #resolves = new Map<unknown, (result: unknown) => void>();

  readonly doTask = (task: unknown, context: TaskContext): Promise<unknown> => {
    this.contexts.set(task, context);
    return new Promise((resolve) => this.#resolves.set(task, resolve));
  };

  finish(task: unknown, result: unknown = null): void {
    this.#resolves.get(task)?.(result);
  }

  signal(task: unknown): AbortSignal {
    return this.contexts.get(task)?.signal ?? expect.unreachable(`${task} has not started`);
  }
}

async function pendingWorker(options: WorkerOptions<unknown> = {}) {
  const handler = new Pending();
  const world = await new VirtualWorker<unknown, unknown>(handler, options).connect();
  return { handler, ...world, master: world.master.last, world };
}

describe('a Worker that is granted tasks', () => {
  it('answers with the result', async () => {
    const { clock, master, events } = await new VirtualWorker((task) => ({ echo: task })).connect();
    master.last.send([grant, 4, 2, 'key', { n: 1n }]);
    await clock.settle();
    expect(master.last.news()).toEqual([[done, 4, { echo: { n: 1n } }]]);
    expect(events.slice(-2)).toEqual([
      { type: 'taskStarted', key: 'key', attempt: 2, task: { n: 1n } },
      { type: 'taskSettled', key: 'key', attempt: 2, task: { n: 1n }, outcome: 'done', durationMs: 0 },
    ]);
  });

  it('answers the tasks of one turn in one frame', async () => {
    const { clock, master } = await new VirtualWorker(async (task) => task, { concurrency: 3 }).connect();
    const before = master.last.frames.length;
    master.last.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
    await clock.settle();
    expect(master.last.frames.slice(before)).toEqual([
      [
        [done, 1, 'a'],
        [done, 2, 'b'],
        [done, 3, 'c'],
      ],
    ]);
  });

  it('runs them in the order of their grants, so many at once, and tells how long each took', async () => {
    const { handler, clock, master, events } = await pendingWorker({ concurrency: 1 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.advance(70);
    expect([...handler.contexts.keys()]).toEqual(['a']);
    handler.finish('a');
    await clock.advance(30);
    handler.finish('b');
    await clock.settle();
    expect(master.news()).toEqual([
      [done, 1, null],
      [done, 2, null],
    ]);
    expect(events.flatMap((event) => (event.type === 'taskSettled' ? [event.durationMs] : []))).toEqual([70, 30]);
  });

  it('answers with what the handler threw', async () => {
    const error = Object.assign(new RangeError('no'), { code: 'E' });
    const { clock, master, events } = await new VirtualWorker(() => {
      throw error;
    }).connect();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [failed, 1, { name: 'RangeError', message: 'no', stack: error.stack, code: 'E' }],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'taskSettled', outcome: 'failed', error });
  });

  it('answers that it rejects a task', async () => {
    const { clock, master, events } = await new VirtualWorker((_, context) => context.reject('no GPU')).connect();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.news()).toEqual([[rejected, 1, 'no GPU']]);
    expect(events.at(-1)).toMatchObject({ type: 'taskSettled', outcome: 'rejected' });
  });

  it('cuts a reason that is too long to be sent', async () => {
    const { clock, master } = await new VirtualWorker((_, context) => context.reject('x'.repeat(50_000))).connect();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.news()).toEqual([[rejected, 1, 'x'.repeat(4096)]]);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['holds a function', { call: () => 1 }, 'TASKDIST_NOT_SERIALIZABLE', /a function/],
    ['is larger than the master takes', 'x'.repeat(100_000), 'TASKDIST_TOO_LARGE', /more than the 100000/],
  ])('fails the attempt, and says why, when the result %s', async (_, result, code, message) => {
    const { clock, master, events, worker } = await new VirtualWorker(() => result).connect();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.news()).toMatchObject([
      [failed, 1, { name: 'TaskdistError', code, message: expect.stringMatching(message) }],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'taskSettled', outcome: 'failed', error: { code } });
    expect(worker.state).toBe('connected');
  });

  it('rejects what its predicate does not accept, without starting it', async () => {
    const accepts = (task: unknown): boolean => task === 'good';
    const { clock, master, events } = await new VirtualWorker((task) => task, { accepts }).connect();
    master.last.send([grant, 1, 1, 'a', 'bad'], [grant, 2, 1, 'b', 'good']);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [rejected, 1, 'Not accepted'],
      [done, 2, 'good'],
    ]);
    expect(events.filter(({ type }) => type === 'taskStarted')).toHaveLength(1);
  });

  it('fails an attempt whose predicate throws', async () => {
    const accepts = (): boolean => {
      throw new TypeError('oops');
    };
    const { clock, master } = await new VirtualWorker((task) => task, { accepts }).connect();
    master.last.send([grant, 1, 1, 'k', 1]);
    await clock.settle();
    expect(master.last.news()).toMatchObject([[failed, 1, { name: 'TypeError', message: 'oops' }]]);
  });

  it('aborts a task that the master cancels, and says when its slot is free', async () => {
    const { handler, clock, master, events } = await pendingWorker();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    master.send([cancel, 1, 'timeout']);
    await clock.advance(50);
    expect(handler.signal('a').reason).toMatchObject({ code: 'TASKDIST_TASK_ABORTED', message: /timeout/ });
    expect(master.news()).toEqual([]);
    handler.finish('a', 'late');
    await clock.settle();
    expect(master.news()).toEqual([[released, 1]]);
    expect(events.at(-1)).toMatchObject({ type: 'taskSettled', outcome: 'returned', durationMs: 50 });
  });

  it('gives a slot away after the grace', async () => {
    const { handler, clock, master } = await pendingWorker({ grace: 400 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [cancel, 1, 'aborted']);
    await clock.advance(399);
    expect([...handler.contexts.keys()]).toEqual(['a']);
    await clock.advance(1);
    expect(master.news()).toEqual([[released, 1]]);
    expect([...handler.contexts.keys()]).toEqual(['a', 'b']);
  });

  it('leaves out a task that is cancelled before it starts, and one that it does not know', async () => {
    const { handler, clock, master } = await pendingWorker();
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [cancel, 2, 'aborted'], [cancel, 77, 'aborted']);
    await clock.settle();
    expect(master.news()).toEqual([[released, 2]]);
    expect([...handler.contexts.keys()]).toEqual(['a']);
  });

  it('forgets a lease once it is answered', async () => {
    const { clock, master } = await new VirtualWorker(async (task) => task).connect();
    for (const task of ['a', 'b']) {
      master.last.send([grant, 1, 1, 'k', task]);
      await clock.settle();
    }
    expect([master.last.news(), master.last.end]).toEqual([
      [
        [done, 1, 'a'],
        [done, 1, 'b'],
      ],
      undefined,
    ]);
  });

  it('aborts everything when the connection ends, and sends none of it later', async () => {
    const { handler, clock, master, world } = await pendingWorker();
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.settle();
    world.network.lastLink.reset();
    await clock.settle();
    expect(handler.signal('a').aborted).toBe(true);
    handler.finish('a', 'late');
    await clock.advance(500);
    await world.welcome();
    expect(world.events.filter(({ type }) => type === 'taskSettled')).toMatchObject([
      { key: 'b', outcome: 'returned' },
      { key: 'a', outcome: 'returned' },
    ]);
    expect(world.master.last.frames.flat().map(([type]) => type)).toEqual([MessageType.hello]);
  });

  it('keeps a slot taken over a new connection, until its handler is through', async () => {
    const { handler, clock, master, world } = await pendingWorker({ grace: 5000 });
    master.send([grant, 1, 1, 'a', 'old']);
    await clock.settle();
    world.network.lastLink.reset();
    await clock.advance(500);
    await world.welcome();
    world.master.last.send([grant, 1, 1, 'b', 'new']);
    await clock.settle();
    expect([...handler.contexts.keys()]).toEqual(['old']);
    handler.finish('old');
    await clock.settle();
    handler.finish('new', 'result');
    await clock.settle();
    expect(world.master.last.news()).toEqual([[done, 1, 'result']]);
  });
});

describe('a Worker that is paused', () => {
  it('says so, gives back what has not started, and lets the rest go on', async () => {
    const { handler, clock, master, world } = await pendingWorker({ concurrency: 1, prefetch: 2 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
    await clock.settle();
    world.worker.pause();
    world.worker.pause();
    await clock.settle();
    expect(world.worker.isPaused).toBe(true);
    expect(master.news()).toEqual([
      [credit, 0, 2],
      [released, 2],
      [released, 3],
    ]);
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([[done, 1, 'result']]);
    expect(world.worker.state).toBe('connected');
  });

  it('gives back what was on its way', async () => {
    const { clock, master, world, handler } = await pendingWorker();
    world.worker.pause();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 1],
      [released, 1],
    ]);
    expect(handler.contexts.size).toBe(0);
  });

  it('goes on when it is resumed', async () => {
    const { clock, master, world, handler } = await pendingWorker({ concurrency: 2 });
    world.worker.pause();
    world.worker.resume();
    world.worker.resume();
    master.send([grant, 1, 1, 'a', 'a']);
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 2],
      [credit, 2, 2],
    ]);
    expect(handler.contexts.size).toBe(1);
  });

  it('says so in its hello if it was paused before', async () => {
    const { clock, master, worker } = new VirtualWorker((task) => task);
    worker.pause();
    void worker.start();
    await clock.settle();
    expect(master.last.news()).toMatchObject([[MessageType.hello, { concurrency: 0 }]]);
    worker.resume();
    master.last.send(welcomeOf());
    await clock.settle();
    expect(master.last.news()).toEqual([[credit, 1, 1]]);
  });

  it('pauses itself when its sandbox is broken, and gives its tasks back', async () => {
    const broken = Object.assign(new Error('broken'), {
      [Symbol.for('taskdist.error')]: true,
      code: 'TASKDIST_SANDBOX_BROKEN',
    });
    const { clock, master, worker, events } = await new VirtualWorker(
      async () => {
        throw broken;
      },
      { concurrency: 2, prefetch: 1 },
    ).connect();
    master.last.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
    await clock.settle();
    expect([worker.isPaused, worker.state]).toEqual([true, 'connected']);
    expect(events.filter(({ type }) => type === 'error')).toEqual([{ type: 'error', error: broken }]);
    const answers = master.last.news();
    expect(answers).toContainEqual([credit, 0, 1]);
    expect(answers.filter(([type]) => type === released)).toHaveLength(3);
    expect(answers).toHaveLength(4);
  });
});

describe('a Worker whose concurrency is changed', () => {
  it('tells its master, and starts more', async () => {
    const { clock, master, world, handler } = await pendingWorker({ concurrency: 1 });
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.settle();
    world.worker.setConcurrency(3);
    await clock.settle();
    expect(world.worker.concurrency).toBe(3);
    expect(master.news()).toEqual([[credit, 3, 3]]);
    expect(handler.contexts.size).toBe(2);
  });

  it('keeps the prefetch that it was given', async () => {
    const { clock, master, world } = await pendingWorker({ concurrency: 1, prefetch: 7 });
    world.worker.setConcurrency(4);
    await clock.settle();
    expect(master.news()).toEqual([[credit, 4, 7]]);
  });

  it('stays paused', async () => {
    const { clock, master, world } = await pendingWorker({ prefetch: 0 });
    world.worker.pause();
    world.worker.setConcurrency(4);
    world.worker.resume();
    await clock.settle();
    expect(master.news()).toEqual([
      [credit, 0, 0],
      [credit, 0, 0],
      [credit, 4, 0],
    ]);
  });

  it.each([0, 1.5, -1, 65_537, '2', undefined])('refuses what is no concurrency: %s', async (concurrency) => {
    const { world } = await pendingWorker();
    expect(() => world.worker.setConcurrency(concurrency as never)).toThrow(
      /Expected `concurrency` to be an integer from 1 to 65536/,
    );
  });
});
