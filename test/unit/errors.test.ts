import { describe, expect, it } from 'vitest';
import {
  DeadLetterError,
  describeError,
  InvalidOptionError,
  isTaskdistError,
  NoQuorumError,
  RemoteError,
  TaskdistError,
  TaskRejectedError,
  TaskTimeoutError,
} from '../../src/errors.ts';

const errors: readonly (readonly [string, string, TaskdistError])[] = [
  ['TaskdistError', 'TASKDIST_STOPPED', new TaskdistError('TASKDIST_STOPPED', 'm', { cause: 'c' })],
  ['InvalidOptionError', 'TASKDIST_INVALID_OPTION', new InvalidOptionError('m')],
  ['TaskTimeoutError', 'TASKDIST_TASK_TIMEOUT', new TaskTimeoutError(5)],
  ['TaskRejectedError', 'TASKDIST_TASK_REJECTED', new TaskRejectedError('why')],
  ['NoQuorumError', 'TASKDIST_NO_QUORUM', new NoQuorumError([])],
  ['DeadLetterError', 'TASKDIST_DEAD_LETTER', new DeadLetterError([])],
];

describe('an error of the library', () => {
  it.each(errors)('has a name and a code: %s', (name, code, error) => {
    expect([error.name, error.code, error instanceof TaskdistError, error instanceof Error]).toEqual([
      name,
      code,
      true,
      true,
    ]);
    expect(String(error)).toBe(`${name}: ${error.message}`);
    expect(error.stack).toContain('errors.test');
  });

  it('keeps its cause', () => {
    expect(errors[0]?.[2].cause).toBe('c');
  });

  it('is recognised, and by its code', () => {
    for (const [, , error] of errors) expect(isTaskdistError(error)).toBe(true);
    expect(isTaskdistError(new TaskTimeoutError(1), 'TASKDIST_TASK_TIMEOUT')).toBe(true);
    expect(isTaskdistError(new TaskTimeoutError(1), 'TASKDIST_STOPPED')).toBe(false);
  });

  it('is recognised when it comes from another copy of the library', () => {
    const foreign = Object.assign(new Error('m'), { [Symbol.for('taskdist.error')]: true, code: 'TASKDIST_STOPPED' });
    expect(isTaskdistError(foreign, 'TASKDIST_STOPPED')).toBe(true);
  });

  it('is not mistaken for any other value', () => {
    for (const value of [
      undefined,
      null,
      'x',
      {},
      new Error('m'),
      Object.assign(new Error('m'), { code: 'TASKDIST_STOPPED' }),
    ]) {
      expect(isTaskdistError(value)).toBe(false);
    }
  });
});

describe('DeadLetterError', () => {
  it('lists every attempt, and has the last one as its cause', () => {
    const attempts = [1, 2].map((attempt) => ({
      attempt,
      worker: 'w',
      workerId: 'w1',
      error: new Error(`no ${attempt}`),
    }));
    const error = new DeadLetterError(attempts);
    expect(error.attempts).toBe(attempts);
    expect(error.message).toBe('The task is given up after 2 attempts; the last: no 2');
    expect(error.cause).toBe(attempts[1]?.error);
    expect(new DeadLetterError(attempts.slice(0, 1)).message).toMatch(/after 1 attempt; the last: no 1/);
    expect(new DeadLetterError(attempts, 50).message).toMatch(/after 50 attempts; the last: no 2/);
  });
});

describe('describeError', () => {
  it('keeps name, message, stack and code', () => {
    const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    expect(describeError(error)).toEqual({ name: 'RangeError', message: 'too far', stack: error.stack, code: 'E_FAR' });
    expect(describeError({ name: 'N', message: 'M', code: 7 })).toEqual({ name: 'N', message: 'M', code: 7 });
  });

  it.each([
    ['text', 'oops', 'oops'],
    ['a number', 5, '5'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object', {}, '[object Object]'],
    ['an object of no class', Object.create(null), 'a value that cannot be described'],
    ['a message that is no text', { message: 5 }, '[object Object]'],
  ])('makes a message of whatever was thrown: %s', (_, thrown, message) => {
    expect(describeError(thrown)).toEqual({ name: 'Error', message });
  });

  it('never throws, whatever the getters do', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('trap');
        },
      },
    );
    expect(describeError(hostile)).toEqual({ name: 'Error', message: 'a value that cannot be described' });
  });

  it('leaves out what is no text, and cuts what is long', () => {
    const long = 'x'.repeat(100_000);
    expect(describeError({ name: long, message: long, stack: long, code: long })).toEqual({
      name: long.slice(0, 256),
      message: long.slice(0, 4096),
      stack: long.slice(0, 4096),
      code: long.slice(0, 256),
    });
    expect(describeError({ name: 1, message: 'm', stack: 2, code: {} })).toEqual({ name: 'Error', message: 'm' });
  });
});

describe('RemoteError', () => {
  it('looks like the original', () => {
    const error = new RemoteError({ name: 'TypeError', message: 'no', stack: 'TypeError: no\n  at far away', code: 3 });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.message, error.stack, error.code]).toEqual([
      'TypeError',
      'no',
      'TypeError: no\n  at far away',
      3,
    ]);
    expect(String(error)).toBe('TypeError: no');
  });

  it('does without stack and code', () => {
    const error = new RemoteError({ name: 'Error', message: 'm' });
    expect(error.code).toBeUndefined();
    expect(typeof error.stack).toBe('string');
  });
});
