// How often in a row each principal's results have proved right.
import { RecentMap } from '../recent-map.ts';

/**
 * Of so many principals at most: the one that was heard of least recently is forgotten first, and has to earn its trust
 * anew. That is some megabytes.
 */
const MAX_PRINCIPALS = 65_536;

/** In memory only. Who has no valid results in a row is not kept. */
export class Trust {
  readonly #valid: RecentMap<string, number>;

  constructor(maxPrincipals = MAX_PRINCIPALS) {
    this.#valid = new RecentMap(maxPrincipals);
  }

  /** How many principals have any. */
  get size(): number {
    return this.#valid.size;
  }

  /** How many results of it in a row have proved right. */
  validOf(principal: string): number {
    const valid = this.#valid.get(principal);
    if (valid === undefined) return 0;
    // It has been heard of.
    this.#valid.set(principal, valid);
    return valid;
  }

  /** A result of it has proved right. */
  won(principal: string): void {
    this.#valid.set(principal, this.validOf(principal) + 1);
  }

  /** A result of it has proved wrong; or it is gone for ever. */
  reset(principal: string): void {
    this.#valid.delete(principal);
  }
}
