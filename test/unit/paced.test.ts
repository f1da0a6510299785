import { describe, expect, it } from 'vitest';
import { Paced } from '../../src/paced.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../src/timer-queue.ts';

/** Work that takes so long, wants to be done once more then, and when it was done. */
function setUp(tookMs: number, nextMs = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock(0);
  const starts: number[] = [];
  const paced: Paced = new Paced(
    clock,
    new TimerQueue(clock),
    (nowMs) => {
      starts.push(nowMs);
      clock.jump(tookMs);
      return starts.length === 1 ? nextMs : Number.POSITIVE_INFINITY;
    },
    () => paced.run(),
  );
  return { clock, paced, starts };
}

describe('Paced', () => {
  it('does at once what takes no time, as often as it is asked', () => {
    const { paced, starts, clock } = setUp(0);
    paced.run();
    paced.run();
    expect([starts, clock.pendingTimers]).toEqual([[0, 0], 0]);
  });

  it('rests nine times as long as the work took, and then does once what it was asked for meanwhile', async () => {
    const { paced, starts, clock } = setUp(10);
    paced.run();
    paced.run();
    paced.run();
    expect(starts).toEqual([0]);
    await clock.advance(89);
    expect(starts).toEqual([0]);
    await clock.advance(1);
    expect(starts).toEqual([0, 10 + 90]);
  });

  it('is asked again when the work has said', async () => {
    const { paced, starts, clock } = setUp(0, 70);
    paced.run();
    await clock.advance(69);
    expect(starts).toEqual([0]);
    await clock.advance(1);
    expect(starts).toEqual([0, 70]);
  });

  it('is not, once it is called off', async () => {
    const { paced, starts, clock } = setUp(0, 70);
    paced.run();
    paced.cancel();
    await clock.advance(200);
    expect(starts).toEqual([0]);
  });
});
