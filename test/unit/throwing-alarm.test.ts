import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../src/timer-queue.ts';

describe('a TimerQueue with an alarm that throws', () => {
  it('rings all others, those that are due now and those that are due later', async () => {
    const clock = new VirtualClock(0);
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    const alarm = (name: string) => queue.createAlarm((nowMs) => rung.push(`${name} ${nowMs}`));
    alarm('before').setBy(9);
    queue
      .createAlarm(() => {
        throw new Error('rung by mistake');
      })
      .setBy(10);
    for (const name of ['with', 'with too']) alarm(name).setBy(10);
    alarm('after').setBy(20);
    await expect(clock.advance(10)).rejects.toThrow('rung by mistake');
    await clock.advance(10);
    // Those of the same moment in any order.
    expect(rung.sort()).toEqual(['after 20', 'before 9', 'with 10', 'with too 10']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('sets alarms that are new, and the one that threw', async () => {
    const clock = new VirtualClock(0);
    const queue = new TimerQueue(clock);
    let rings = 0;
    const alarm = queue.createAlarm(() => {
      rings += 1;
      if (rings === 1) throw new Error('the first time');
    });
    alarm.setBy(10);
    await expect(clock.advance(10)).rejects.toThrow('the first time');
    expect(clock.pendingTimers).toBe(0);
    alarm.setBy(20);
    await clock.advance(10);
    expect([rings, clock.pendingTimers]).toEqual([2, 0]);
  });
});
