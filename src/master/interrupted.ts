// The sessions whose connection is lost and whose worker may come back: how many there are, in all and by address.
import { Groups } from '../scheduling/groups.ts';

/** How many there may be at a time. */
export interface InterruptedLimits {
  readonly maxInterrupted: number;
  readonly maxInterruptedPerAddress: number;
}

/** They are no connections, and so no door counts them. */
export class Interrupted<Session> {
  readonly #limits: InterruptedLimits;
  /** What counted as the address of each, the one that has been away longest first. */
  readonly #networks = new Map<Session, string | undefined>();
  /** By that, likewise. */
  readonly #neighbours = new Groups<string, Session>();

  constructor(limits: InterruptedLimits) {
    this.#limits = limits;
  }

  /**
   * One more. Returns which is to wait no longer, if there are too many: the one that has been away longest, and of the same
   * address if it is that which has too many, so that nobody drives others out.
   */
  add(session: Session, network: string | undefined): Session | undefined {
    const { maxInterrupted, maxInterruptedPerAddress } = this.#limits;
    this.#networks.set(session, network);
    if (network !== undefined) {
      this.#neighbours.add(network, session);
      const neighbours = this.#neighbours.get(network);
      const [longestThere] = neighbours.size > maxInterruptedPerAddress ? neighbours : [];
      if (longestThere !== undefined) return longestThere;
    }
    const [longest] = this.#networks.size > maxInterrupted ? this.#networks.keys() : [];
    return longest;
  }

  /** It is over, or its worker is back. */
  delete(session: Session): void {
    const network = this.#networks.get(session);
    this.#networks.delete(session);
    if (network !== undefined) this.#neighbours.delete(network, session);
  }
}
