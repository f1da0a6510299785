// Who has misbehaved so often that nobody from there is let in for a while.
import { RecentMap } from '../recent-map.ts';

/** How many addresses are remembered; the oldest are forgotten. */
const MAX_RECORDS = 10_000;

/** When an address is banned, and for how long. */
export interface BanTerms {
  readonly strikes: number;
  /** Counted from the first of them. */
  readonly withinMs: number;
  readonly durationMs: number;
}

/** What is held against an address. */
interface Offences {
  strikes: number;
  sinceMs: number;
  /** There once it is banned. */
  untilMs: number | undefined;
}

/** Counts strikes, and bans for them. Whatever there are of either costs the same. */
export class Bans {
  readonly #terms: BanTerms;
  readonly #records = new RecentMap<string, Offences>(MAX_RECORDS);

  constructor(terms: BanTerms) {
    this.#terms = terms;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#records.size;
  }

  /** Counts a strike. Returns for how long the address is banned for it, if that was one too many. */
  strike(address: string, nowMs: number): number | undefined {
    const { strikes, durationMs } = this.#terms;
    const record = this.#recordOf(address, nowMs);
    record.strikes += 1;
    if (record.untilMs !== undefined || record.strikes < strikes) return undefined;
    record.untilMs = nowMs + durationMs;
    return durationMs;
  }

  /** For how long the address is still banned; 0 if it is not. */
  remainingMs(address: string, nowMs: number): number {
    const untilMs = this.#records.get(address)?.untilMs;
    return untilMs === undefined ? 0 : Math.max(0, untilMs - nowMs);
  }

  /** The record of an address, which is the latest then; a new one if what is held against it is too long ago. */
  #recordOf(address: string, nowMs: number): Offences {
    const known = this.#records.get(address);
    const isOver = known === undefined || (known.untilMs ?? known.sinceMs + this.#terms.withinMs) <= nowMs;
    const record = isOver ? { strikes: 0, sinceMs: nowMs, untilMs: undefined } : known;
    this.#records.set(address, record);
    return record;
  }
}
