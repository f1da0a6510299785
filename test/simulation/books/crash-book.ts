// Whose connections were lost, and until when those of its kind may be granted nothing for it.
import { isGoodbye } from '../../../src/protocol/close-codes.ts';
import type { Member, SessionView } from '../views.ts';
import type { Desk } from './desk.ts';

const FIRST_MS = 100;
const MAX_MS = 10_000;
const FORGET_MS = 600_000;

export class CrashBook {
  readonly #desk: Desk;
  readonly #losses = new Map<string, { count: number; atMs: number }>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** A session is about to be over at its master; with how many leases, only that knows for certain. */
  ended({ endCode, member }: SessionView): void {
    if (endCode === undefined || isGoodbye(endCode)) return;
    const { nowMs, members } = this.#desk;
    const source = sourceOf(member);
    const known = this.#losses.get(source);
    const count = known !== undefined && nowMs - known.atMs < FORGET_MS ? known.count + 1 : 1;
    this.#losses.set(source, { count, atMs: nowMs });
    const untilMs = nowMs + Math.min(MAX_MS, FIRST_MS * 2 ** (count - 1));
    for (const other of members) {
      if (sourceOf(other) === source) other.mayRestUntilMs = Math.max(other.mayRestUntilMs, untilMs);
    }
  }
}

/** Who stands behind it, or else its address, which nobody has beside it. */
function sourceOf({ plan, name }: Member): string {
  return plan.principal ?? name;
}
