import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../src/timer-queue.ts';

function setUp() {
  const clock = new VirtualClock(0);
  const queue = new TimerQueue(clock);
  const rung: string[] = [];
  const createAlarm = (name: string) => queue.createAlarm((nowMs) => rung.push(`${name} ${nowMs}`));
  return { clock, queue, rung, createAlarm };
}

describe('a TimerQueue that catches up', () => {
  it('goes on doing so when another alarm is cancelled', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    const other = createAlarm('other');
    other.setBy(5000);
    clock.jump(1000);
    await clock.advance(10);
    other.cancel();
    await clock.advance(89);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toEqual(['a 1100']);
  });

  it('goes on doing so when another alarm is set', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    clock.jump(1000);
    await clock.advance(10);
    createAlarm('other').setBy(1020);
    await clock.advance(89);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toEqual(['a 1100', 'other 1100']);
  });

  it('first reads what came in while it stood still again', async () => {
    const { clock, rung, createAlarm } = setUp();
    createAlarm('a').setBy(100);
    clock.jump(1000);
    await clock.advance(10);
    // It has come when the second stall is over, and is read behind the timers.
    clock.setTimer(500, () => rung.push(`read ${clock.now()}`));
    clock.jump(1000);
    await clock.advance(0);
    expect(rung).toEqual(['read 2010', 'a 2010']);
  });

  it('rings nothing that is cancelled by what it reads after standing still again', async () => {
    const { clock, queue, rung, createAlarm } = setUp();
    const alarm = createAlarm('a');
    alarm.setBy(100);
    clock.jump(1000);
    await clock.advance(10);
    clock.setTimer(500, () => alarm.cancel());
    clock.jump(1000);
    await clock.advance(0);
    expect([rung, clock.pendingTimers]).toEqual([[], 0]);
    queue.createAlarm((nowMs) => rung.push(`b ${nowMs}`)).setBy(2020);
    await clock.advance(10);
    expect(rung).toEqual(['b 2020']);
  });

  it('does so once for all that were late', async () => {
    const { clock, queue, rung, createAlarm } = setUp();
    const alarm = queue.createAlarm((nowMs) => {
      rung.push(`a ${nowMs}`);
      if (nowMs < 1110) alarm.setBy(nowMs + 10);
    });
    alarm.setBy(100);
    createAlarm('b').setBy(200);
    clock.jump(1000);
    await clock.advance(100);
    expect(rung).toEqual(['a 1100', 'b 1100']);
    await clock.advance(10);
    expect(rung).toEqual(['a 1100', 'b 1100', 'a 1110']);
  });
});
