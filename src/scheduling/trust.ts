// How often in a row each principal's results have proved right.

/**
 * Of so many principals at most: the one that was heard of least recently is forgotten first, and has to earn its trust
 * anew. That is some megabytes.
 */
const MAX_PRINCIPALS = 65_536;

/** In memory only. Who has no valid results in a row is not kept. */
export class Trust {
  readonly #maxPrincipals: number;
  /** The one that was heard of least recently first. */
  readonly #valid = new Map<string, number>();

  constructor(maxPrincipals = MAX_PRINCIPALS) {
    this.#maxPrincipals = maxPrincipals;
  }

  /** How many principals have any. */
  get size(): number {
    return this.#valid.size;
  }

  /** How many results of it in a row have proved right. */
  validOf(principal: string): number {
    const valid = this.#valid.get(principal);
    if (valid === undefined) return 0;
    this.#keep(principal, valid);
    return valid;
  }

  /** A result of it has proved right. */
  won(principal: string): void {
    this.#keep(principal, this.validOf(principal) + 1);
    const [oldest] = this.#valid.keys();
    if (this.#valid.size > this.#maxPrincipals && oldest !== undefined) this.#valid.delete(oldest);
  }

  /** A result of it has proved wrong; or it is gone for ever. */
  reset(principal: string): void {
    this.#valid.delete(principal);
  }

  #keep(principal: string, valid: number): void {
    this.#valid.delete(principal);
    this.#valid.set(principal, valid);
  }
}
