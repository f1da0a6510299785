import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { pendingWorker } from '../../support/pending-worker.ts';

const { grant, recall, cancel, done, released } = MessageType;

/** A worker that runs `a`, while `b` and `c` wait. */
async function setUp() {
  const set = await pendingWorker({ prefetch: 2 });
  const { clock, master } = set;
  master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b'], [grant, 3, 1, 'c', 'c']);
  await clock.settle();
  return set;
}

describe('a Worker that is asked for a lease', () => {
  it('gives it back if it has not started, and goes on with the others', async () => {
    const { clock, master, handler, events } = await setUp();
    master.send([recall, 2]);
    await clock.settle();
    expect(master.news()).toEqual([[released, 2]]);
    expect(events.at(-1)).toEqual({
      type: 'taskSettled',
      key: 'b',
      attempt: 1,
      task: 'b',
      outcome: 'returned',
      durationMs: 0,
    });
    handler.finish('a');
    await clock.settle();
    expect(master.news()).toEqual([[done, 1, null]]);
    expect([...handler.contexts.keys()]).toEqual(['a', 'c']);
  });

  it('keeps it if it has started, says nothing, and answers when it is through', async () => {
    const { clock, master, handler } = await setUp();
    master.send([recall, 1]);
    await clock.advance(1000);
    expect(master.news()).toEqual([]);
    expect(handler.signal('a').aborted).toBe(false);
    handler.finish('a', 'result');
    await clock.settle();
    expect(master.news()).toEqual([[done, 1, 'result']]);
  });

  it('answers once if it is cancelled besides, or asked for again', async () => {
    const { clock, master } = await setUp();
    master.send([recall, 3], [recall, 3], [cancel, 3, 'recalled'], [cancel, 2, 'aborted'], [recall, 2]);
    await clock.settle();
    expect(master.news()).toEqual([
      [released, 3],
      [released, 2],
    ]);
  });

  it('stops it, if it has started, when the master has taken it back', async () => {
    const { clock, master, handler } = await setUp();
    master.send([cancel, 1, 'recalled']);
    await clock.settle();
    expect(handler.signal('a').reason).toMatchObject({
      code: 'TASKDIST_TASK_ABORTED',
      message: 'The master cancelled the attempt: recalled',
    });
    handler.finish('a');
    await clock.settle();
    expect(master.news()).toEqual([[released, 1]]);
  });

  it('does not mind if it never had it, or has answered it', async () => {
    const { clock, master, handler } = await setUp();
    handler.finish('a');
    await clock.settle();
    master.news();
    master.send([recall, 1], [recall, 99]);
    await clock.settle();
    expect([master.news(), master.end]).toEqual([[], undefined]);
  });
});
