import { describe, expect, it } from 'vitest';
import { TaskdistError } from '../../../src/errors.ts';
import { follow } from '../../support/holders.ts';
import { controllers, fulfilled, openShared, pending, rejected, within } from '../../support/sharers.ts';

/** What is told of a task may come back to the scheduler at once. */
describe('a task that is shared, and listeners that', () => {
  it('make everybody leave when they are told that it is done: all have the result', async () => {
    const { scheduler, holder, events, share } = openShared();
    const { abort, signals } = controllers(2);
    scheduler.on('settled', () => {
      for (const who of [0, 1]) abort(who);
    });
    const outcomes = share(...signals);
    scheduler.complete(await holder('h').takeOne(), 'result');
    expect(await outcomes()).toEqual([fulfilled, fulfilled]);
    expect(events).toHaveLength(1);
  });

  it('abort the signal of the one who left last at its deadline, when the lease is revoked', async () => {
    const { clock, holder, events, share } = openShared();
    const worker = holder('h');
    const { abort, signals } = controllers(1);
    const outcomes = share({ ...signals[0], deadline: 100 });
    const lease = await worker.takeOne();
    worker.onRevoke = () => abort(0);
    await clock.advance(100);
    expect([worker.revoked, await outcomes()]).toMatchObject([[lease], [rejected(within(100))]]);
    expect(events).toMatchObject([{ outcome: 'expired' }]);
  });

  it.each(['revoked', 'settled'])('put it again when it is %s: it is another task, which is not left', async (when) => {
    const { scheduler, holder, events, share } = openShared();
    const worker = holder('h');
    const { abort, signals } = controllers(1);
    const again: (() => Promise<unknown>)[] = [];
    const putAgain = (): void => void again.push(share({}));
    if (when === 'revoked') worker.onRevoke = putAgain;
    else scheduler.on('settled', putAgain);
    const left = share(...signals, ...signals);
    await worker.takeOne();
    abort(0);
    expect([await left(), await again[0]?.()]).toEqual([[rejected('left: 0'), rejected('left: 0')], [pending]]);
    scheduler.complete(await worker.takeOne(), 'result');
    expect(await again[0]?.()).toEqual([fulfilled]);
    expect(events).toMatchObject([
      { key: '0', outcome: 'aborted' },
      { key: '1', outcome: 'done' },
    ]);
  });

  it('make another one leave as one leaves, before or after it: the task is aborted by the last', async () => {
    for (const isBefore of [true, false]) {
      const { events, share } = openShared();
      const { abort, signals } = controllers(2);
      const listen = (): void => signals[0]?.signal.addEventListener('abort', () => abort(1));
      if (isBefore) listen();
      const outcomes = share(...signals);
      if (!isBefore) listen();
      abort(0);
      expect(await outcomes()).toEqual([rejected('left: 0'), rejected('left: 1')]);
      expect(events).toMatchObject([{ outcome: 'aborted', error: isBefore ? 'left: 0' : 'left: 1' }]);
    }
  });

  it('join it as the last one is about to leave: it goes on for them', async () => {
    const { events, share } = openShared();
    const { abort, signals } = controllers(1);
    const joining: (() => Promise<unknown>)[] = [];
    signals[0]?.signal.addEventListener('abort', () => joining.push(share({})));
    const outcomes = share(...signals);
    abort(0);
    expect([await outcomes(), await joining[0]?.()]).toEqual([[rejected('left: 0')], [pending]]);
    expect(events).toEqual([]);
  });

  it('leave it as the scheduler is closed: each has its own reason', async () => {
    const { scheduler, events, share } = openShared();
    const { abort, signals } = controllers(2);
    const stopped = new TaskdistError('TASKDIST_STOPPED', 'stopped');
    scheduler.on('settled', ({ task }) => {
      if (task === 'before') abort(0);
    });
    const before = follow(scheduler.put('before'));
    const outcomes = share(...signals);
    scheduler.close(stopped);
    expect([await outcomes(), before()]).toEqual([[rejected('left: 0'), rejected(stopped)], rejected(stopped)]);
    expect(events).toMatchObject([{ outcome: 'stopped' }, { outcome: 'stopped' }]);
  });
});
