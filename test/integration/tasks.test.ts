import { DeadLetterError, type TaskContext, TaskTimeoutError } from 'taskdist';
import { describe, expect, it } from 'vitest';
import { Cluster, gate, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

type Task = { type: string; n: number };

describe('a task on its way', () => {
  it('reaches a worker and comes back as a result', async () => {
    const cluster = await Cluster.start<Task, number>();
    await cluster.join((task) => task.n * 2);
    await expect(cluster.scheduler.put({ type: 'double', n: 21 })).resolves.toBe(42);
  });

  it('may be put before the master starts', async () => {
    const cluster = new Cluster<Task, number>();
    const result = cluster.scheduler.put({ type: 'double', n: 1 });
    await cluster.master.start();
    await cluster.join((task) => task.n * 2);
    await expect(result).resolves.toBe(2);
  });

  it.each(['msgpack', 'json'] as const)(
    'keeps typed arrays, bigints, dates and undefined through %s',
    async (codec) => {
      const cluster = await Cluster.start<unknown, unknown>();
      await cluster.join((task) => task, { codec });
      const value = {
        floats: new Float64Array([0.1, Number.NaN]),
        bytes: new Uint8Array([1, 2, 255]),
        big: 2n ** 80n,
        date: new Date(1_700_000_000_000),
        nothing: undefined,
        list: [undefined, null, 'ü', new Set([1])],
        $: ['object', 'of the user'],
      };
      expect(await cluster.scheduler.put(value)).toEqual(value);
    },
  );

  it('moves 256 KiB of typed array and a megabyte of them in one turn', async () => {
    const cluster = await Cluster.start<number, Uint8Array>();
    await cluster.join((fill) => new Uint8Array(262_144).fill(fill), { concurrency: 8 });
    const results = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((fill) => cluster.scheduler.put(fill)));
    expect(results.map((bytes) => [bytes.byteLength, bytes[0], bytes.at(-1)])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((fill) => [262_144, fill, fill]),
    );
  });

  it('runs as many at once as the worker says', async () => {
    const cluster = await Cluster.start<number, number>();
    let running = 0;
    let most = 0;
    const three = gate();
    const handler = {
      getConcurrency: () => 3,
      async doTask(n: number) {
        running += 1;
        most = Math.max(most, running);
        if (running === 3) three.open();
        await three.promise;
        running -= 1;
        return n;
      },
    };
    await cluster.join(handler);
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => cluster.scheduler.put(n)));
    expect(most).toBe(3);
  });
});

describe('a task that goes wrong', () => {
  it('is tried again, and its last error is the dead letter’s', async () => {
    const cluster = await Cluster.start<Task, number>();
    const attempts: number[] = [];
    await cluster.join((_task, context) => {
      attempts.push(context.attempt);
      throw Object.assign(new RangeError(`attempt ${context.attempt} failed`), { code: 'E_RANGE' });
    });
    const error = await cluster.scheduler.put({ type: 'x', n: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeadLetterError);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    const letter = error as DeadLetterError;
    expect(letter.code).toBe('TASKDIST_DEAD_LETTER');
    expect(letter.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(letter.attempts[4]?.error).toMatchObject({
      name: 'RangeError',
      message: 'attempt 5 failed',
      code: 'E_RANGE',
    });
    expect(letter.attempts[4]?.error.stack).toContain('tasks.test.ts');
    expect(letter.cause).toBe(letter.attempts[4]?.error);
  });

  it('succeeds if a later attempt does', async () => {
    const cluster = await Cluster.start<Task, string>();
    await cluster.join((_task, { attempt }) => {
      if (attempt < 3) throw new Error('not yet');
      return `attempt ${attempt}`;
    });
    await expect(cluster.scheduler.put({ type: 'x', n: 1 })).resolves.toBe('attempt 3');
  });

  it('runs out of time, is told to stop, and is tried again', async () => {
    const cluster = await Cluster.start<Task, string>({ taskTimeout: 50 });
    const aborted = gate<unknown>();
    await cluster.join(async (_task, { attempt, signal }) => {
      if (attempt > 1) return 'in time';
      signal.addEventListener('abort', () => aborted.open(signal.reason));
      await aborted.promise;
      return 'too late';
    });
    await expect(cluster.scheduler.put({ type: 'x', n: 1 })).resolves.toBe('in time');
    await expect(aborted.promise).resolves.toMatchObject({ code: 'TASKDIST_TASK_ABORTED' });
  });

  it('that always runs out of time becomes a dead letter', async () => {
    const cluster = await Cluster.start<Task, string>({ taskTimeout: 20 }, { maxAttempts: 2 });
    await cluster.join(
      (_task, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(''))),
    );
    const error = await cluster.scheduler.put({ type: 'x', n: 1 }).catch((reason: unknown) => reason);
    expect((error as DeadLetterError).attempts.map((each) => each.error)).toEqual([
      expect.any(TaskTimeoutError),
      expect.any(TaskTimeoutError),
    ]);
  });

  it('does not run out of time while it waits at the worker for its turn', async () => {
    const cluster = await Cluster.start<number, number>({ taskTimeout: 1500 });
    const worker = await cluster.join(
      async (n, { attempt }) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return n * 10 + attempt;
      },
      { prefetch: 3 },
    );
    expect(worker.concurrency).toBe(1);
    const results = await Promise.all([1, 2, 3, 4].map((n) => cluster.scheduler.put(n)));
    expect(results).toEqual([11, 21, 31, 41]);
  });

  it('is put back when a worker rejects it, and not offered there again', async () => {
    const cluster = await Cluster.start<Task, string>();
    let rejections = 0;
    await cluster.join((_task, context) => {
      rejections += 1;
      return context.reject('not mine');
    });
    const result = cluster.scheduler.put({ type: 'x', n: 1 });
    const { outcome } = await nextMasterEvent(cluster.master, 'attemptEnded');
    expect(outcome).toBe('rejected');
    await cluster.join(() => 'mine');
    await expect(result).resolves.toBe('mine');
    expect(rejections).toBe(1);
  });

  it('goes to the workers that accept it, by type or by predicate', async () => {
    const cluster = await Cluster.start<Task, string>();
    await cluster.join(() => 'a', { accepts: ['a'] });
    await cluster.join(() => 'b', { accepts: (task) => task.type === 'b' });
    const types = ['a', 'b', 'b', 'a', 'a', 'b'];
    const results = await Promise.all(types.map((type, n) => cluster.scheduler.put({ type, n })));
    expect(results).toEqual(types);
  });
});

describe('a task that is aborted', () => {
  it('rejects with the reason, queued or running, and the worker is told', async () => {
    const cluster = await Cluster.start<number, number>();
    const started = gate<TaskContext>();
    const worker = await cluster.join((n, context) => {
      if (n !== 1) return n;
      started.open(context);
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason));
      });
    });
    const controller = new AbortController();
    const running = cluster.scheduler.put(1, { signal: controller.signal });
    const queued = cluster.scheduler.put(2, { signal: controller.signal });
    const context = await started.promise;
    const settled = nextWorkerEvent(worker, 'taskSettled');
    controller.abort(new Error('scrolled away'));
    await expect(running).rejects.toThrow('scrolled away');
    await expect(queued).rejects.toThrow('scrolled away');
    await expect(settled).resolves.toMatchObject({ outcome: 'returned' });
    expect(context.signal.aborted).toBe(true);
    await expect(cluster.scheduler.put(3)).resolves.toBe(3);
  });

  it('frees the slot of an inline handler that does not listen, after the grace', async () => {
    const cluster = await Cluster.start<number, number>();
    const started = gate();
    const handler = (n: number): number | Promise<number> => {
      if (n !== 1) return n;
      started.open();
      return new Promise(() => {});
    };
    await cluster.join(handler, { grace: 20 });
    const controller = new AbortController();
    const stuck = cluster.scheduler.put(1, { signal: controller.signal });
    await started.promise;
    controller.abort();
    await expect(stuck).rejects.toThrow();
    await expect(cluster.scheduler.put(2)).resolves.toBe(2);
  });
});

describe('what cannot cross the wire', () => {
  it('rejects the put of a task that cannot be serialised, and nothing else', async () => {
    const cluster = await Cluster.start<unknown, string>();
    await cluster.join(() => 'fine');
    const bad = cluster.scheduler.put({ type: 'x', callback: () => {} });
    const good = cluster.scheduler.put({ type: 'x' });
    await expect(bad).rejects.toMatchObject({ code: 'TASKDIST_NOT_SERIALIZABLE' });
    await expect(good).resolves.toBe('fine');
  });

  it('rejects the put of a task that is too large', async () => {
    const cluster = await Cluster.start<unknown, string>({ maxFrameBytes: 65_536 });
    await cluster.join(() => 'fine');
    await expect(cluster.scheduler.put(new Uint8Array(65_536))).rejects.toMatchObject({ code: 'TASKDIST_TOO_LARGE' });
    await expect(cluster.scheduler.put(new Uint8Array(60_000))).resolves.toBe('fine');
  });

  it.each(['msgpack', 'json'] as const)(
    'fails an attempt whose result cannot be serialised or is too large: %s',
    async (codec) => {
      const cluster = await Cluster.start<string, unknown>({ maxFrameBytes: 65_536 }, { maxAttempts: 1 });
      const worker = await cluster.join((kind) => (kind === 'function' ? () => {} : new Uint8Array(70_000)), { codec });
      const asFunction = await cluster.scheduler.put('function').catch((reason: unknown) => reason);
      const asLarge = await cluster.scheduler.put('large').catch((reason: unknown) => reason);
      expect((asFunction as DeadLetterError).attempts[0]?.error).toMatchObject({
        code: 'TASKDIST_NOT_SERIALIZABLE',
        message: expect.stringContaining('function'),
      });
      expect((asLarge as DeadLetterError).attempts[0]?.error).toMatchObject({
        code: 'TASKDIST_TOO_LARGE',
        message: expect.stringContaining('65536'),
      });
      expect(worker.state).toBe('connected');
    },
  );
});
