// How many attempts are worth sending into a thread ahead of their turn.

/** What is sent ahead takes no longer than this, by how long tasks took of late. */
const AHEAD_MS = 4;

const MAX_AHEAD = 256;

/** One longer task weighs as much as four shorter ones. */
const RISE = 2;
const FALL = 1.19;

/**
 * Follows how long tasks take: the time that four of five stay under. How far above it one is makes no difference, as
 * a task may seem long because the machine had other work; whatever waits behind a long one in vain is taken back.
 */
export class Pace {
  #durationMs: number | undefined = undefined;

  /** How many attempts to send behind the one that runs; none as long as nothing is known. */
  get ahead(): number {
    return this.#durationMs === undefined ? 0 : Math.floor(AHEAD_MS / this.#durationMs);
  }

  /** A task took so long, or has so far. */
  took(durationMs: number): void {
    const before = this.#durationMs ?? durationMs;
    const now = durationMs < before ? Math.max(durationMs, before / FALL) : Math.min(durationMs, before * RISE);
    // As short as makes a difference: a clock may not tell less from nothing.
    this.#durationMs = Math.max(AHEAD_MS / MAX_AHEAD, now);
  }
}
