import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

describe('VirtualClock', () => {
  it('runs timers in the order of their times, and then of their making', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(20, () => seen.push('late'));
    clock.setTimer(10, () => seen.push('first'));
    clock.setTimer(10, () => seen.push('second'));
    clock.setTimer(21, () => seen.push('too late'));
    await clock.advance(20);
    expect(seen).toEqual(['first', 'second', 'late']);
  });

  it('keeps the order of those that are to come at the same time, however far away that is', async () => {
    const clock = new VirtualClock(1_000_000);
    const seen: number[] = [];
    const atMs = 1_000_000.1 + 0.2;
    for (let index = 0; index < 100; index += 1) {
      clock.at(atMs, () => seen.push(index));
      await clock.advance(0.001);
    }
    await clock.advance(1);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('shows each callback its own time', async () => {
    const clock = new VirtualClock(1000);
    const times: number[] = [];
    clock.setTimer(10, () => times.push(clock.now()));
    clock.setTimer(25, () => times.push(clock.now()));
    await clock.advance(100);
    expect([...times, clock.now()]).toEqual([1010, 1025, 1100]);
  });

  it('runs microtasks and `soon` callbacks before the next timer', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(1, () => {
      seen.push('timer');
      clock.soon(() => {
        seen.push('soon');
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => seen.push('microtask of soon'));
      });
      void Promise.resolve().then(() => seen.push('microtask'));
    });
    clock.setTimer(1, () => seen.push('next timer'));
    await clock.advance(1);
    expect(seen).toEqual(['timer', 'microtask', 'soon', 'microtask of soon', 'next timer']);
  });

  it('runs timers that timers set, if they are due as well', async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.setTimer(10, tick);
    };
    clock.setTimer(10, tick);
    await clock.advance(100);
    expect(ticks).toBe(10);
  });

  it('does not run a timer that was cancelled', async () => {
    const clock = new VirtualClock();
    const cancel = clock.setTimer(1, () => expect.unreachable());
    cancel();
    await clock.advance(10);
    expect(clock.pendingTimers).toBe(0);
  });

  it('jumps over timers, which run late', async () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    clock.setTimer(10, () => times.push(clock.now()));
    clock.setTimer(20, () => times.push(clock.now()));
    clock.jump(1000);
    expect(times).toEqual([]);
    await clock.advance(0);
    expect(times).toEqual([1000, 1000]);
  });

  it('has an epoch that goes by as it does', async () => {
    const clock = new VirtualClock(0, Date.UTC(2030, 0, 1));
    await clock.advance(1500);
    clock.jump(500);
    expect(new Date(clock.epochNow()).toISOString()).toBe('2030-01-01T00:00:02.000Z');
  });

  it('rejects with what a callback throws', async () => {
    const clock = new VirtualClock();
    clock.setTimer(1, () => {
      throw new Error('oops');
    });
    await expect(clock.advance(1)).rejects.toThrow('oops');
  });

  it('refuses to be advanced twice at once', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toThrow('advanced already');
    await first;
  });

  it('advances until a condition holds, or says what does not', async () => {
    const clock = new VirtualClock(0);
    let isReady = false;
    clock.setTimer(70, () => {
      isReady = true;
    });
    clock.setTimer(500, () => {});
    await clock.advanceUntil(() => isReady, 'ready');
    expect(clock.now()).toBe(70);
    await expect(clock.advanceUntil(() => false, 'pigs fly', 1000)).rejects.toThrow('Not within 1000 ms: pigs fly');
  });
});

describe('VirtualProcess', () => {
  it('runs nothing while it is stopped, and all of it late when it is woken', async () => {
    const clock = new VirtualClock(0);
    const process = clock.createProcess();
    const seen: string[] = [];
    process.setTimer(10, () => seen.push(`timer at ${process.now()}`));
    process.soon(() => seen.push(`soon at ${process.now()}`));
    process.stop();
    await clock.advance(100);
    expect(seen).toEqual([]);
    process.wake();
    await clock.settle();
    expect(seen).toEqual(['soon at 100', 'timer at 100']);
  });

  it('keeps the order when it is woken in the midst of what is overdue', async () => {
    const clock = new VirtualClock();
    const process = clock.createProcess();
    const seen: string[] = [];
    process.setTimer(10, () => seen.push('first'));
    process.setTimer(20, () => process.stop());
    process.setTimer(30, () => seen.push('second'));
    process.setTimer(50, () => seen.push('third'));
    process.stall(5);
    clock.setTimer(40, () => process.wake());
    await clock.advance(6);
    clock.jump(100);
    await clock.advance(0);
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  it('can cancel an overdue timer before it runs', async () => {
    const clock = new VirtualClock();
    const process = clock.createProcess();
    const cancel = process.setTimer(10, () => expect.unreachable());
    process.stop();
    await clock.advance(100);
    process.wake();
    cancel();
    await clock.settle();
  });

  it('never runs anything again once it is killed', async () => {
    const clock = new VirtualClock();
    const process = clock.createProcess();
    process.setTimer(10, () => expect.unreachable());
    process.kill();
    process.wake();
    await clock.advance(100);
  });
});
