// Who has connected, and has not asked for anything yet: how many there are, in all and by address, and who must go for another.

/** How many there may be. */
export interface LobbyLimits {
  readonly maxWaiting: number;
  readonly maxWaitingPerAddress: number;
}

/** What a lobby needs of a socket. */
export interface WaitingSocket {
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** A connection that has not asked for anything yet. */
export interface Arrival {
  readonly socket: WaitingSocket;
  readonly address: string;
  /** What counts as its address; undefined if nothing is counted by address there. */
  readonly network: string | undefined;
}

/** Counts those who wait. Of a socket that has left, nothing is kept, neither here nor at the socket. */
export class Lobby {
  readonly #limits: LobbyLimits;
  /** Who waits, the longest there first, and what is called when its socket is closed. */
  readonly #waiting = new Map<WaitingSocket, { readonly arrival: Arrival; readonly onClose: () => void }>();
  readonly #counts = new Map<string, number>();

  constructor(limits: LobbyLimits) {
    this.#limits = limits;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether as many wait already as may from there. */
  isFull(network: string | undefined): boolean {
    return network !== undefined && (this.#counts.get(network) ?? 0) >= this.#limits.maxWaitingPerAddress;
  }

  /** One more, until it leaves or its socket is closed. Returns who must go for it, if there are too many: who has waited longest. */
  enter(arrival: Arrival): Arrival | undefined {
    const { socket, network } = arrival;
    const [longest] = this.#waiting.size >= this.#limits.maxWaiting ? this.#waiting.values() : [];
    if (longest !== undefined) this.leave(longest.arrival.socket);
    const onClose = (): void => this.leave(socket);
    this.#waiting.set(socket, { arrival, onClose });
    socket.once('close', onClose);
    if (network !== undefined) this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
    return longest?.arrival;
  }

  /** It is waited for no more. */
  leave(socket: WaitingSocket): void {
    const known = this.#waiting.get(socket);
    if (known === undefined) return;
    this.#waiting.delete(socket);
    socket.off('close', known.onClose);
    const { network } = known.arrival;
    if (network === undefined) return;
    const count = (this.#counts.get(network) ?? 0) - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }
}
