// What `npm run bench` understands.
import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from '../../../bench/harness/command-line.ts';
import { requirementsOf } from '../../../bench/harness/requirements.ts';
import { parts } from '../../../bench/parts.ts';

describe('readOptions', () => {
  it('measures all parts by default', () => {
    expect(readOptions([])).toMatchObject({ parts, rounds: 5, isQuick: false, isProfiled: false });
  });

  it('measures the parts that are named, each once', () => {
    const options = readOptions(['memory', 'latency', 'memory', '--profile']);
    expect(options?.parts.map(({ name }) => name)).toEqual(['memory', 'latency']);
    expect(options?.isProfiled).toBe(true);
  });

  it('takes fewer rounds for a quick look, but those it is told', () => {
    expect(readOptions(['--quick'])?.rounds).toBe(2);
    expect(readOptions(['--quick', '--rounds', '7'])?.rounds).toBe(7);
  });

  it.each([[['nothing']], [['--rounds', '0']], [['--rounds', 'many']], [['--fast']]])('refuses %j', (args) => {
    expect(() => readOptions(args)).toThrow(UsageError);
  });

  it('gives way to help', () => {
    expect(readOptions(['-h'])).toBeUndefined();
  });
});

describe('requirementsOf', () => {
  it('is what the parts that are asked for require', () => {
    expect(requirementsOf(['throughput'])).toEqual(['redis']);
    expect(requirementsOf(['latency'])).toEqual([]);
    expect(requirementsOf([])).toContain('redis');
  });

  it('is nothing for what makes no sense', () => {
    expect(requirementsOf(['nothing'])).toEqual([]);
  });
});

describe('the parts', () => {
  it('have names of their own', () => {
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
  });
});
