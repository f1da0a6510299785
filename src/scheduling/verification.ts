// The votes on one task: who makes an attempt at it, who has given which result, and which results agree.
import type { VerifyTerms } from './verify-options.ts';

/** Who has given a result. */
export interface Voter {
  /** Who stands behind it; see `principalOf`. */
  readonly principal: string;
  readonly worker: string;
  readonly workerId: string;
  /** What the holder itself says of who stands behind it. */
  readonly identity: string | undefined;
}

/** Results that agree, and whose they are. */
export interface Agreement<R> {
  /** The first of them. */
  readonly result: R;
  readonly voters: readonly Voter[];
}

/** What the result of a task is, and who had it right and wrong. */
export interface Verdict<R> {
  readonly result: R;
  readonly winners: readonly Voter[];
  readonly losers: readonly Voter[];
}

/** What has come of one result more. */
export type Tally<R> =
  | ({ readonly kind: 'decided' } & Verdict<R>)
  /** `isDisputed`: it agrees with none of those that were there. */
  | { readonly kind: 'open'; readonly isDisputed: boolean }
  /** No quorum can come of it any more. */
  | { readonly kind: 'undecidable'; readonly isDisputed: boolean };

const NOBODY: ReadonlySet<string> = new Set();

/** All of it is by principal: each has one execution or one result of a task at most. */
export class Verification<R> {
  readonly #terms: VerifyTerms;
  #agreements: { readonly result: R; voters: Voter[] }[] = [];
  /** Those who make an attempt, and whether the result of one alone may do. */
  readonly #running = new Map<string, 'one of several' | 'alone' | 'always'>();
  /** How many attempts of each have failed, or were lost; there once there is one. */
  #failed: Map<string, number> | undefined = undefined;
  /** Those who have given a result, be it discarded since. */
  readonly #heard = new Set<string>();
  /** Those who must not be given the task: they are at it, or have given a result. Replaced, never changed, as lanes keep it. */
  barred = NOBODY;
  /** What `equals` has thrown last. */
  equalsError: unknown = undefined;

  constructor(terms: VerifyTerms) {
    this.#terms = terms;
  }

  /** How many have given a result. */
  get heard(): number {
    return this.#heard.size;
  }

  /** How many results there are that count. */
  get votes(): number {
    return this.#agreements.reduce((sum, { voters }) => sum + voters.length, 0);
  }

  /** The results that are there. */
  get agreements(): readonly Agreement<R>[] {
    return this.#agreements;
  }

  /** Whether nobody is at the task, and there is no result of it. */
  get isUntouched(): boolean {
    return this.#running.size === 0 && this.#agreements.length === 0;
  }

  /** How many more are to make an attempt now: as many as a quorum takes, if all of them agree with most. */
  get wanted(): number {
    for (const role of this.#running.values()) if (role !== 'one of several') return 0;
    // That many results there may be yet: otherwise the task would have been given up.
    return this.#terms.quorum - this.#most - this.#running.size;
  }

  /** The number of this one's next attempt. It must not tell what others do, so it counts nobody else's. */
  attemptOf(principal: string): number {
    return 1 + (this.#failed?.get(principal) ?? 0);
  }

  /**
   * This one makes an attempt. `alone`: its result may do, as it is the only one, if it is still trusted then. `always`: it
   * does, whatever others say.
   */
  granted(principal: string, role: 'one of several' | 'alone' | 'always'): void {
    this.#running.set(principal, role);
    this.#bar();
  }

  /** Its attempt is over. Returns whether its result would do by itself. */
  ended(principal: string): boolean {
    const role = this.#running.get(principal);
    this.#running.delete(principal);
    this.#bar();
    return role === 'alone' || role === 'always';
  }

  /** Its attempt, which is about to end, has failed or was lost. */
  noteFailure(principal: string): void {
    this.#failed ??= new Map();
    this.#failed.set(principal, this.attemptOf(principal));
  }

  /** Counts a result. */
  vote(voter: Voter, result: R): Tally<R> {
    this.#heard.add(voter.principal);
    this.#bar();
    const isFirst = this.#agreements.length === 0;
    let agreement = this.#agreementWith(result);
    const isDisputed = !isFirst && agreement === undefined;
    if (agreement === undefined) {
      agreement = { result, voters: [] };
      this.#agreements.push(agreement);
    }
    agreement.voters.push(voter);
    const { quorum, maxReplicas } = this.#terms;
    if (agreement.voters.length >= quorum) return { kind: 'decided', ...this.#verdict(agreement) };
    const isOpen = quorum - this.#most <= maxReplicas - this.votes;
    return { kind: isOpen ? 'open' : 'undecidable', isDisputed };
  }

  /** Takes a result at its word. */
  decide(result: R): Verdict<R> {
    // Its own, not the first that is the same: `equals` may allow for something.
    return { ...this.#verdict(this.#agreementWith(result) ?? { result, voters: [] }), result };
  }

  /** Whoever this is is not believed any more. Returns how many results were discarded, and whether anything has changed. */
  distrust(principal: string): { readonly discarded: number; readonly hasChanged: boolean } {
    const before = this.votes;
    for (const agreement of this.#agreements) {
      agreement.voters = agreement.voters.filter((voter) => voter.principal !== principal);
    }
    this.#agreements = this.#agreements.filter(({ voters }) => voters.length > 0);
    const discarded = before - this.votes;
    const wasAlone = this.#running.get(principal) === 'alone';
    if (wasAlone) this.#running.set(principal, 'one of several');
    return { discarded, hasChanged: discarded > 0 || wasAlone };
  }

  /** How many agree on what most agree on. */
  get #most(): number {
    return this.#agreements.reduce((most, { voters }) => Math.max(most, voters.length), 0);
  }

  #agreementWith(result: R): { readonly result: R; voters: Voter[] } | undefined {
    return this.#agreements.find((each) =>
      this.#terms.equals(each.result, result, (error) => {
        this.equalsError = error;
      }),
    );
  }

  #verdict({ result, voters }: Agreement<R>): Verdict<R> {
    const others = this.#agreements.filter((each) => each.voters !== voters);
    return { result, winners: voters, losers: others.flatMap((each) => each.voters) };
  }

  #bar(): void {
    this.barred = new Set([...this.#heard, ...this.#running.keys()]);
  }
}
