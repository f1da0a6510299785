import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { pendingWorker } from '../../support/pending-worker.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, cancel, done, failed, rejected, released } = MessageType;

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
    // And is not offered before.
    expect(world.master.last.news()).toEqual([
      [MessageType.credit, 1, 'auto', 0],
      [done, 1, 'result'],
    ]);
  });
});
