// What the referee's books share: the rules, the trace, and who is there.
import type { Court, Rule } from '../rules/rule.ts';
import type { Member, SessionView } from '../views.ts';

/** What a book knows besides its own, and whom it tells. */
export interface Desk extends Court {
  readonly rules: readonly Rule[];
  readonly sessions: Set<SessionView>;
  /** How many callbacks have run. */
  readonly steps: number;
  /** Something has happened at this moment. */
  isNews(): void;
  /** The same, in words. */
  note(what: string): void;
}

/** Until then, its master cannot know what it does. */
export function disturb(member: Member, untilMs: number): void {
  member.disturbedUntilMs = Math.max(member.disturbedUntilMs, untilMs);
}
