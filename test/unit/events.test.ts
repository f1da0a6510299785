import { afterEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../../src/events.ts';

type Event = { readonly type: 'a'; readonly n: number } | { readonly type: 'b' };

const types = { a: true, b: true } as const;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('Emitter', () => {
  it('tells an event to the listeners of its type, in their order', () => {
    const emitter = new Emitter<Event>(types);
    const heard: string[] = [];
    emitter.on('a', ({ n }) => heard.push(`first ${n}`));
    emitter.on('b', () => heard.push('other'));
    emitter.on('a', ({ n }) => heard.push(`second ${n}`));
    emitter.emit({ type: 'a', n: 1 });
    expect(heard).toEqual(['first 1', 'second 1']);
  });

  it('takes the same function twice, as two subscriptions', () => {
    const emitter = new Emitter<Event>(types);
    const listener = vi.fn();
    const off = emitter.on('b', listener);
    emitter.on('b', listener);
    emitter.emit({ type: 'b' });
    expect(listener).toHaveBeenCalledTimes(2);
    off();
    off();
    emitter.emit({ type: 'b' });
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it.each<[string, readonly unknown[]]>([
    ['Expected `type` to be one of a, b, got "misspelt"', ['misspelt', () => {}]],
    ['Expected `listener` to be a function, got undefined', ['a']],
  ])('refuses what is no subscription: %s', (message, parameters) => {
    const emitter = new Emitter<Event>(types);
    expect(() => Reflect.apply(emitter.on, emitter, parameters)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message }),
    );
    expect(emitter.hears('a')).toBe(false);
  });

  it('knows whether anybody listens', () => {
    const emitter = new Emitter<Event>(types);
    expect(emitter.hears('a')).toBe(false);
    const off = emitter.on('a', () => {});
    expect([emitter.hears('a'), emitter.hears('b')]).toEqual([true, false]);
    off();
    expect(emitter.hears('a')).toBe(false);
  });

  it('tells an event to those who listened when it began', () => {
    const emitter = new Emitter<Event>(types);
    const heard: string[] = [];
    const off = emitter.on('b', () => {
      off();
      emitter.on('b', () => heard.push('late'));
      heard.push('once');
    });
    emitter.on('b', () => heard.push('always'));
    emitter.emit({ type: 'b' });
    expect(heard).toEqual(['once', 'always']);
    emitter.emit({ type: 'b' });
    expect(heard).toEqual(['once', 'always', 'always', 'late']);
  });

  it('does not tell an event to a listener that one before it has unsubscribed', () => {
    const emitter = new Emitter<Event>(types);
    const heard: string[] = [];
    emitter.on('b', () => off());
    const off = emitter.on('b', () => heard.push('unsubscribed'));
    emitter.on('b', () => heard.push('next'));
    emitter.emit({ type: 'b' });
    expect(heard).toEqual(['next']);
  });

  it('reports what a listener throws, and tells the others all the same', () => {
    const reports: (() => void)[] = [];
    vi.stubGlobal('queueMicrotask', (report: () => void) => reports.push(report));
    const emitter = new Emitter<Event>(types);
    const after = vi.fn();
    emitter.on('b', () => {
      throw new Error('oops');
    });
    emitter.on('b', after);
    emitter.emit({ type: 'b' });
    expect(after).toHaveBeenCalledOnce();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toThrow('oops');
  });
});
