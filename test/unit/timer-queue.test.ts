import { describe, expect, it } from 'vitest';
import { integerBelow, pick, seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../src/timer-queue.ts';

function setUp() {
  const clock = new VirtualClock(0);
  const queue = new TimerQueue(clock);
  const rung: string[] = [];
  const createAlarm = (name: string) => queue.createAlarm((nowMs) => rung.push(`${name} ${nowMs}`));
  return { clock, queue, rung, createAlarm };
}

describe('TimerQueue', () => {
  it('rings alarms at their times, in their order', async () => {
    const { clock, rung, createAlarm } = setUp();
    for (const atMs of [30, 10, 20]) createAlarm(String(atMs)).setBy(atMs);
    await clock.advance(25);
    expect(rung).toEqual(['10 10', '20 20']);
    await clock.advance(5);
    expect(rung).toEqual(['10 10', '20 20', '30 30']);
  });

  it('has one timer for all of them, and none for none', async () => {
    const { clock, createAlarm } = setUp();
    const alarms = Array.from({ length: 100 }, (_, index) => createAlarm(String(index)));
    expect(clock.pendingTimers).toBe(0);
    for (const [index, alarm] of alarms.entries()) {
      alarm.setBy(1000 - index);
      expect(clock.pendingTimers).toBe(1);
    }
    await clock.advance(950);
    expect(clock.pendingTimers).toBe(1);
    for (const alarm of alarms) alarm.cancel();
    expect(clock.pendingTimers).toBe(0);
  });

  it('rings an alarm once', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(10);
    await clock.advance(1000);
    expect(rung).toEqual(['a 10']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('only moves an alarm earlier', async () => {
    const { clock, rung, createAlarm } = setUp();
    const alarm = createAlarm('a');
    for (const atMs of [100, 200, 50, 70, Number.POSITIVE_INFINITY]) alarm.setBy(atMs);
    await clock.advance(1000);
    expect(rung).toEqual(['a 50']);
    alarm.setBy(1500);
    await clock.advance(1000);
    expect(rung).toEqual(['a 50', 'a 1500']);
  });

  it('never rings an alarm that is set for never, or was cancelled', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('never').setBy(Number.POSITIVE_INFINITY);
    expect(clock.pendingTimers).toBe(0);
    const alarm = createAlarm('a');
    alarm.setBy(10);
    alarm.cancel();
    alarm.cancel();
    await clock.advance(1000);
    expect(rung).toEqual([]);
    alarm.setBy(1010);
    await clock.advance(1000);
    expect(rung).toEqual(['a 1010']);
  });

  it('rings at once an alarm whose time is over when it is set', async () => {
    const { clock, rung, createAlarm } = setUp();
    await clock.advance(1000);
    createAlarm('a').setBy(990);
    await clock.settle();
    expect(rung).toEqual(['a 1000']);
  });

  it('lets an alarm set itself and others while it rings', async () => {
    const { clock, queue, rung, createAlarm } = setUp();
    const other = createAlarm('other');
    const alarm = queue.createAlarm((nowMs) => {
      rung.push(`alarm ${nowMs}`);
      alarm.setBy(nowMs + 10);
      other.setBy(nowMs + 5);
    });
    alarm.setBy(10);
    await clock.advance(30);
    expect(rung).toEqual(['alarm 10', 'other 15', 'alarm 20', 'other 25', 'alarm 30']);
    expect(clock.pendingTimers).toBe(1);
  });

  it('lets an alarm cancel others that are due as well', async () => {
    const { clock, queue, rung, createAlarm } = setUp();
    const other = createAlarm('other');
    queue.createAlarm(() => other.cancel()).setBy(10);
    other.setBy(10.5);
    clock.jump(20);
    await clock.advance(1000);
    expect(rung).toEqual([]);
  });

  it('sets the next timer when one fires too early, as that of a long delay does', async () => {
    const { clock, rung } = setUp();
    const hasty = Object.assign(Object.create(clock) as VirtualClock, {
      now: () => clock.now(),
      setTimer: (delayMs: number, callback: () => void) => clock.setTimer(Math.min(delayMs, 100), callback),
    });
    new TimerQueue(hasty).createAlarm((nowMs) => rung.push(`a ${nowMs}`)).setBy(450);
    await clock.advance(449);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toEqual(['a 450']);
  });

  it.each([1, 2, 3])('agrees with a plain list of times (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const clock = new VirtualClock(0);
    const queue = new TimerQueue(clock);
    const due = new Map<number, number>();
    let rings = 0;
    const alarms = Array.from({ length: 20 }, (_, index) =>
      queue.createAlarm((nowMs) => {
        rings += 1;
        expect(nowMs).toBe(due.get(index));
        due.delete(index);
      }),
    );
    for (let step = 0; step < 500; step += 1) {
      const index = integerBelow(random, alarms.length);
      const atMs = clock.now() + 1 + integerBelow(random, 150);
      if (random() < 0.8) {
        alarms[index]?.setBy(atMs);
        due.set(index, Math.min(atMs, due.get(index) ?? Number.POSITIVE_INFINITY));
      } else {
        alarms[index]?.cancel();
        due.delete(index);
      }
      expect(clock.pendingTimers).toBe(due.size > 0 ? 1 : 0);
      await clock.advance(pick(random, [0, 1, 5, 20]));
      for (const time of due.values()) expect(time).toBeGreaterThan(clock.now());
    }
    expect(rings).toBeGreaterThan(100);
  });
});

describe('a TimerQueue whose timer is late', () => {
  it('judges at once if it is only a little late', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    clock.jump(150);
    await clock.settle();
    expect(rung).toEqual(['a 150']);
  });

  it('first gives time to catch up, as frames may be waiting to be read', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    clock.jump(301);
    await clock.advance(99);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toEqual(['a 401']);
  });

  it('leaves an alarm alone that is cancelled meanwhile', async () => {
    const { clock, rung, createAlarm } = setUp();
    const alarm = createAlarm('a');
    alarm.setBy(100);
    clock.jump(5000);
    await clock.advance(50);
    alarm.cancel();
    await clock.advance(1000);
    expect(rung).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives time once only, as in a hidden page every timer is late', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    clock.jump(1000);
    await clock.settle();
    clock.jump(1000);
    await clock.settle();
    expect(rung).toEqual(['a 2000']);
  });

  it('gives time again at the next stall', async () => {
    const { clock, rung, createAlarm } = setUp();
    const alarm = createAlarm('a');
    for (const start of [0, 10_000]) {
      await clock.advance(start - clock.now());
      alarm.setBy(clock.now() + 100);
      clock.jump(1000);
      await clock.advance(500);
    }
    expect(rung).toEqual(['a 1100', 'a 11100']);
  });
});
