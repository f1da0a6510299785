import { describe, expect, it } from 'vitest';
import {
  checkLogger,
  expectCount,
  expectInteger,
  expectKnown,
  expectMilliseconds,
  expectObject,
  expectSignal,
  expectString,
} from '../../src/options.ts';

const infinity = Number.POSITIVE_INFINITY;

describe('the check of an option', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['-1', -1],
    ['1.5', 1.5],
    ['10', 10n],
    ['"1"', '1'],
    ['an array', [1]],
    ['an object', { a: 1 }],
    ['a function', () => 1],
    ['Symbol(s)', Symbol('s')],
    ['true', true],
  ])('names the option and the value: %s', (shown, value) => {
    expect(() => expectInteger('size', value, 0)).toThrow(
      expect.objectContaining({
        code: 'TASKDIST_INVALID_OPTION',
        name: 'InvalidOptionError',
        message: `Expected \`size\` to be an integer ≥ 0, got ${shown}`,
      }),
    );
  });

  it('takes integers in a range', () => {
    for (const value of [1, 5]) expect(() => expectInteger('n', value, 1, 5)).not.toThrow();
    for (const value of [0, 6, 1.5, infinity]) {
      expect(() => expectInteger('n', value, 1, 5)).toThrow(
        `Expected \`n\` to be an integer from 1 to 5, got ${value}`,
      );
    }
  });

  it('takes counts, Infinity among them', () => {
    for (const value of [1, 1e9, infinity]) expect(() => expectCount('n', value, 1)).not.toThrow();
    for (const value of [0, -infinity, 1.5, Number.NaN, '1', null]) {
      expect(() => expectCount('n', value, 1)).toThrow('Expected `n` to be an integer ≥ 1 or Infinity');
    }
  });

  it('takes milliseconds, and Infinity where it means never', () => {
    for (const value of [0.5, 1, 1e12]) expect(() => expectMilliseconds('t', value, 0.5, false)).not.toThrow();
    expect(() => expectMilliseconds('t', infinity, 0, true)).not.toThrow();
    for (const value of [-1, Number.NaN, '5', null, infinity]) {
      expect(() => expectMilliseconds('t', value, 0, false)).toThrow(
        'Expected `t` to be a number of milliseconds ≥ 0, got',
      );
    }
    expect(() => expectMilliseconds('t', -1, 0, true)).toThrow('a number of milliseconds ≥ 0 or Infinity, got -1');
  });

  it('takes strings that are neither empty nor too long', () => {
    for (const value of ['x', 'xxx']) expect(() => expectString('s', value, 3)).not.toThrow();
    for (const value of ['', 'xxxx', 1, undefined]) {
      expect(() => expectString('s', value, 3)).toThrow('Expected `s` to be a string of 1 to 3 characters, got');
    }
  });

  it('takes signals, of whatever realm', () => {
    const foreign = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
    for (const value of [new AbortController().signal, foreign]) expect(() => expectSignal('s', value)).not.toThrow();
    for (const value of [null, undefined, 'x', { aborted: true, addEventListener: () => {} }, new AbortController()]) {
      expect(() => expectSignal('s', value)).toThrow('Expected `s` to be an AbortSignal, got');
    }
  });

  it('takes objects', () => {
    for (const value of [{}, []]) expect(() => expectObject('o', value)).not.toThrow();
    for (const value of [null, undefined, 1, 'x'])
      expect(() => expectObject('o', value)).toThrow('Expected `o` to be an object');
  });

  it('takes abort signals, those of other realms among them', () => {
    const foreign = { aborted: false, addEventListener() {}, removeEventListener() {} };
    for (const value of [new AbortController().signal, AbortSignal.abort(), foreign]) {
      expect(() => expectSignal('signal', value)).not.toThrow();
    }
    for (const value of [new AbortController(), {}, null, undefined, 'x', () => {}]) {
      expect(() => expectSignal('signal', value)).toThrow('Expected `signal` to be an AbortSignal, got');
    }
  });

  it('refuses names that do not exist, and lists those that do', () => {
    expect(() => expectKnown('Thing', { a: 1, b: 2 }, ['a', 'b', 'c'])).not.toThrow();
    expect(() => expectKnown('Thing', { a: 1, aa: 2 }, ['a', 'b'])).toThrow(
      expect.objectContaining({
        code: 'TASKDIST_INVALID_OPTION',
        message: 'Unknown option `aa` for Thing; the options are a, b',
      }),
    );
  });
});

describe('a checked logger', () => {
  it('writes one line for each message, whatever a peer has put into it, and no orders to a terminal', () => {
    const written: unknown[][] = [];
    const write = (...words: unknown[]): void => void written.push(words);
    const logger = checkLogger('logger', { debug: write, info: write, warn: write, error: write });
    const detail = new Error('as\nit is');
    logger.warn('a\r\nWARN b\u001b[2Jc\u0085d\u2028e\u202ef ü 😀', detail);
    expect(written).toEqual([['a\\u000d\\u000aWARN b\\u001b[2Jc\\u0085d\\u2028e\\u202ef ü 😀', detail]]);
  });
});
