// From where workers are lost again and again with more than they have done: those of there are granted nothing for a while.
import type { Clock } from '../ports.ts';
import { RecentMap } from '../recent-map.ts';
import { Groups } from '../scheduling/groups.ts';

/** How long after the first such loss, in milliseconds; twice as long after each that follows. */
const FIRST_MS = 100;
const MAX_MS = 10_000;
/** After so long without another one, the next is the first again. */
const FORGET_MS = 600_000;
/** Of so many sources at most; the ones whose last loss is longest ago are forgotten. */
const MAX_RECORDS = 10_000;

/** A session, as far as it counts here. */
export interface Sourced {
  /** Who its worker is, or else from where it comes; undefined: that is not counted. */
  readonly source: string | undefined;
  /** Once it is over: whether more was lost with it than its worker had done. */
  readonly wasFruitless: boolean;
  /** Whether its worker runs as much as it has done, or more. */
  readonly isUnproven: boolean;
  /** Takes nothing until then. */
  restUntil(untilMs: number): void;
}

/** What there was of one source. */
interface Losses {
  readonly count: number;
  readonly atMs: number;
}

/**
 * A task that is lost with its worker too often is given up, as it may be what kills workers. Whoever takes all tasks, breaks off, and
 * comes again at once, would have all of them given up within a second. So it is treated as a container that crashes again and
 * again: each time it has to wait for twice as long. Source: Kubernetes, "CrashLoopBackOff".
 */
export class CrashLoops {
  readonly #clock: Clock;
  readonly #losses = new RecentMap<string, Losses>(MAX_RECORDS);
  readonly #sessions = new Groups<string, Sourced>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#losses.size;
  }

  /** A session has begun. */
  joined(session: Sourced): void {
    const { source } = session;
    if (source === undefined) return;
    this.#sessions.add(source, session);
    const untilMs = this.#restsUntilMs(source);
    if (untilMs > this.#clock.now()) session.restUntil(untilMs);
  }

  /** A session is over. */
  left(session: Sourced): void {
    const { source, wasFruitless } = session;
    if (source === undefined) return;
    this.#sessions.delete(source, session);
    if (!wasFruitless) return;
    this.#note(source, this.#clock.now());
    const untilMs = this.#restsUntilMs(source);
    // Or whoever has enough connections would lose each task by one after the other.
    for (const other of this.#sessions.get(source)) if (other.isUnproven) other.restUntil(untilMs);
  }

  #note(source: string, nowMs: number): void {
    const known = this.#losses.get(source);
    const isRecent = known !== undefined && nowMs - known.atMs < FORGET_MS;
    this.#losses.set(source, { count: isRecent ? known.count + 1 : 1, atMs: nowMs });
  }

  #restsUntilMs(source: string): number {
    const losses = this.#losses.get(source);
    if (losses === undefined) return 0;
    return losses.atMs + Math.min(MAX_MS, FIRST_MS * 2 ** (losses.count - 1));
  }
}
