// How many connections there are: in all, by address, and of these how many have not said hello yet.
import type { Guest } from './guest.ts';

/** How many there may be. */
export interface CrowdLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxPending: number;
  readonly maxPendingPerAddress: number;
}

/** Those of one address. */
interface Count {
  connections: number;
  pending: number;
}

/** Counts the guests of a master. */
export class Crowd {
  readonly #limits: CrowdLimits;
  readonly #counts = new Map<string, Count>();
  /** Who has not said hello yet, the longest there first. */
  readonly #pending = new Set<Guest>();
  #connections = 0;

  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  /** How many addresses are counted: those of connections that are there. */
  get addresses(): number {
    return this.#counts.size;
  }

  /** What there are too many of already; undefined if there is room for one more. */
  surplus(network: string | undefined): 'in all' | 'of this address' | undefined {
    const { maxConnections, maxConnectionsPerAddress, maxPendingPerAddress } = this.#limits;
    if (this.#connections >= maxConnections) return 'in all';
    const count = network === undefined ? undefined : this.#counts.get(network);
    if (count === undefined) return undefined;
    const isFull = count.connections >= maxConnectionsPerAddress || count.pending >= maxPendingPerAddress;
    return isFull ? 'of this address' : undefined;
  }

  /** One more. Returns who must leave for it, if too many have not said hello: the one who has had the longest time to. */
  add(guest: Guest): Guest | undefined {
    this.#connections += 1;
    const count = this.#countOf(guest);
    if (count !== undefined) {
      count.connections += 1;
      count.pending += 1;
    }
    const [longest] = this.#pending.size >= this.#limits.maxPending ? this.#pending : [];
    if (longest !== undefined) this.greeted(longest);
    this.#pending.add(guest);
    return longest;
  }

  /** It is not waited for any more. */
  greeted(guest: Guest): void {
    if (!this.#pending.delete(guest)) return;
    const count = this.#countOf(guest);
    if (count !== undefined) count.pending -= 1;
  }

  remove(guest: Guest): void {
    this.greeted(guest);
    this.#connections -= 1;
    const count = this.#countOf(guest);
    if (count === undefined || guest.network === undefined) return;
    count.connections -= 1;
    if (count.connections === 0) this.#counts.delete(guest.network);
  }

  #countOf({ network }: Guest): Count | undefined {
    if (network === undefined) return undefined;
    const count = this.#counts.get(network) ?? { connections: 0, pending: 0 };
    this.#counts.set(network, count);
    return count;
  }
}
