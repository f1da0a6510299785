// What can be asked about results from strangers: the options, their defaults, and their checks.
import { expectCount, expectInteger, expectKnown, refuse } from '../options.ts';
import { areResultsEqual } from './results-equal.ts';

/** Whose results are taken at their word. */
export interface TrustOptions {
  /**
   * After how many results in a row that won against, or with, those of others a worker is trusted, an integer ≥ 1, or
   * Infinity: never, but for workers that the master trusts outright. @defaultValue 10, as in BOINC
   */
  readonly after?: number | undefined;
}

/**
 * How results are checked that come from workers which might be wrong, or lie: a task is run by several of them, and
 * its result is what enough of them agree on.
 */
export interface VerifyOptions {
  /** How many workers must give the same result, an integer ≥ 2. @defaultValue 2 */
  readonly quorum?: number | undefined;
  /**
   * How many results are asked for at most when they disagree, an integer ≥ `quorum`, or Infinity. Those of workers that were caught
   * in between do not count. As soon as no quorum can come of it any more, the task's promise rejects with {@link NoQuorumError}.
   * @defaultValue 2 · `quorum` + 1
   */
  readonly maxReplicas?: number | undefined;
  /**
   * Whether two results are the same. Each result is compared with the first one of each kind there is, so it should be
   * an equivalence, or nearly one, as with a small tolerance. Results are as they came: nobody has checked what they
   * are, and if it throws, or returns anything else than true or false, such as a promise, they are not the same.
   * @defaultValue by structure: all that can be sent, with NaN the same as NaN, objects in sets in order, and errors
   * without their stacks
   */
  equals?(a: unknown, b: unknown): boolean;
  /**
   * Whose results need no quorum. A worker whose results have proved right `after` times in a row, with none wrong, is
   * trusted: if it has the task alone, its result is accepted, but for one in n, by chance, which is checked like any
   * other; n is how many have proved right in a row. While that one is being checked, none is accepted unchecked; or,
   * if nobody is there who could check it, until `after` more have proved right. A wrong one ends it all. Workers that
   * the master trusts outright are never checked. `false`: nobody is trusted, not even those.
   *
   * Source: adaptive replication in BOINC, with its figures. David P. Anderson, "BOINC: A Platform for Volunteer
   * Computing", Journal of Grid Computing 18, 2020; and BOINC's wiki, "Adaptive replication". @defaultValue { after: 10
   * }
   */
  readonly trust?: TrustOptions | false | undefined;
}

/** How a task is verified: the options, checked and complete. */
export interface VerifyTerms {
  readonly quorum: number;
  readonly maxReplicas: number;
  /** Never throws. `onError` hears of what the one who was asked has thrown. */
  readonly equals: (a: unknown, b: unknown, onError: (error: unknown) => void) => boolean;
  /** Undefined: nobody is trusted. */
  readonly trustAfter: number | undefined;
}

const defaults: VerifyTerms = Object.freeze({
  quorum: 2,
  maxReplicas: 5,
  equals: guarded(areResultsEqual),
  trustAfter: 10,
});

const verifyOptionNames = ['quorum', 'maxReplicas', 'equals', 'trust'] satisfies (keyof VerifyOptions)[];

/** Completes the options from others, or from the defaults if there are none. @throws InvalidOptionError */
export function checkVerify(
  name: string,
  options: VerifyOptions | boolean,
  base: VerifyTerms = defaults,
): VerifyTerms | undefined {
  if (options === false) return undefined;
  if (typeof options !== 'object' || options === null) refuse(name, 'an object or false', options);
  expectKnown(name, options, verifyOptionNames);
  const { quorum = base.quorum, equals, trust } = options;
  expectInteger(`${name}.quorum`, quorum, 2);
  const { maxReplicas = options.quorum === undefined ? base.maxReplicas : 2 * quorum + 1 } = options;
  expectCount(`${name}.maxReplicas`, maxReplicas, quorum);
  if (equals !== undefined && typeof equals !== 'function') refuse(`${name}.equals`, 'a function', equals);
  return {
    quorum,
    maxReplicas,
    equals: equals === undefined ? base.equals : guarded(equals),
    trustAfter: checkTrust(`${name}.trust`, trust, base.trustAfter),
  };
}

function checkTrust(
  name: string,
  trust: TrustOptions | false | undefined,
  base: number | undefined,
): number | undefined {
  if (trust === undefined) return base;
  if (trust === false) return undefined;
  if (typeof trust !== 'object' || trust === null) refuse(name, 'an object or false', trust);
  expectKnown(name, trust, ['after']);
  const { after = base ?? defaults.trustAfter } = trust;
  expectCount(`${name}.after`, after, 1);
  return after;
}

function guarded(equals: (a: unknown, b: unknown) => boolean): VerifyTerms['equals'] {
  return (a, b, onError) => {
    try {
      const isSame: unknown = equals(a, b);
      // A promise, mostly, which would be as good as a yes to all.
      if (typeof isSame === 'boolean') return isSame;
      disregard(isSame);
      refuse('verify.equals', 'a function that returns true or false', isSame);
    } catch (error) {
      onError(error);
      return false;
    }
  };
}

/** Nobody waits for it: it may be a promise that rejects, as of what a stranger has sent, which must not end the process. */
function disregard(value: unknown): void {
  // What reading its `then` throws, or calling it, rejects a promise that this is the catch of.
  Promise.resolve(value).catch(() => {});
}
