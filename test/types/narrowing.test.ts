// What a caught value is known to be, once it was asked. `tsc --noEmit` is the judge.
import {
  type AttemptFailure,
  DeadLetterError,
  isTaskdistError,
  NoQuorumError,
  type ResultVotes,
  type TaskdistError,
  type TaskdistErrorCode,
  TaskRejectedError,
} from 'taskdist';
import { describe, expect, expectTypeOf, it } from 'vitest';

const caught = (error: unknown): unknown => error;

describe('isTaskdistError', () => {
  it('narrows a dead letter to its class, with its attempts', () => {
    const error = caught(new DeadLetterError([{ attempt: 1, worker: 'w', workerId: 'w1', error: new Error('no') }]));
    if (!isTaskdistError(error, 'TASKDIST_DEAD_LETTER')) return expect.unreachable();
    expectTypeOf(error).toEqualTypeOf<DeadLetterError>();
    expectTypeOf(error.attempts).toEqualTypeOf<readonly AttemptFailure[]>();
    expect(error.attempts.map(({ worker }) => worker)).toEqual(['w']);
  });

  it('narrows a dispute to its class, with its results', () => {
    const error = caught(new NoQuorumError([{ result: 1, votes: 2, workers: [] }]));
    if (!isTaskdistError(error, 'TASKDIST_NO_QUORUM')) return expect.unreachable();
    expectTypeOf(error).toEqualTypeOf<NoQuorumError>();
    expectTypeOf(error.results).toEqualTypeOf<readonly ResultVotes[]>();
    expect(error.results.map(({ votes }) => votes)).toEqual([2]);
  });

  it('narrows a rejection to its class, with its reason', () => {
    const error = caught(new TaskRejectedError('no GPU'));
    if (!isTaskdistError(error, 'TASKDIST_TASK_REJECTED')) return expect.unreachable();
    expectTypeOf(error).toEqualTypeOf<TaskRejectedError>();
    expectTypeOf(error.reason).toBeString();
    expect(error.reason).toBe('no GPU');
  });

  it('narrows to the base class by any other code, and by none', () => {
    const error = caught(new TaskRejectedError('no GPU'));
    if (isTaskdistError(error, 'TASKDIST_STOPPED')) return expect.unreachable();
    if (!isTaskdistError(error)) return expect.unreachable();
    expectTypeOf(error).toEqualTypeOf<TaskdistError>();
    expectTypeOf(error.code).toEqualTypeOf<TaskdistErrorCode>();
    const stopped = (value: unknown): TaskdistError | undefined =>
      isTaskdistError(value, 'TASKDIST_STOPPED') ? value : undefined;
    expect(stopped(error)).toBeUndefined();
  });

  it('takes no code that does not exist', () => {
    // @ts-expect-error: misspelt
    expect(isTaskdistError(new Error('no'), 'TASKDIST_DEADLETTER')).toBe(false);
    const wrong = (value: unknown): void => {
      // @ts-expect-error: only a dead letter has attempts
      if (isTaskdistError(value, 'TASKDIST_STOPPED')) void value.attempts;
    };
    expectTypeOf(wrong).returns.toBeVoid();
  });
});
