// A clock whose timers ring after 24.8 days at the latest, as those of all platforms do.
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

export const DAY_MS = 24 * 3_600_000;

export class ClampedClock extends VirtualClock {
  override setTimer(delayMs: number, callback: () => void): () => void {
    return super.setTimer(Math.min(delayMs, 0x7fff_ffff), callback);
  }
}
