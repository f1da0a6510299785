// What all sessions of one master keep of what they have sent: so much together, however many they are.

/** Who keeps frames. */
export interface Keeper {
  /** How much it keeps. */
  readonly byteLength: number;
  /** Drops all that it keeps, and takes it to have come. */
  drop(): void;
}

/** Enough for a frame of a mebibyte for each of 64, and of small ones for as many as there are. */
const MAX_BYTES = 67_108_864;

/**
 * When there is too much, one drops its frames that keeps more than its share; of these, whoever has waited longest to learn that any have
 * come. So nobody who keeps little loses it for those who keep much. It may go on after a lost connection all the same, if they did come.
 */
export class ReplayStore {
  readonly #maxBytes: number;
  /** Who keeps any; the one whose peer has told nothing for longest first. */
  readonly #keepers = new Set<Keeper>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How much is kept. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Another frame is kept. */
  add(keeper: Keeper, byteLength: number): void {
    this.#keepers.add(keeper);
    this.#bytes += byteLength;
    while (this.#bytes > this.#maxBytes) this.#greediest?.drop();
  }

  /** So much has come, or is not needed any more; `isAll`: nothing else is kept there. */
  remove(keeper: Keeper, byteLength: number, isAll: boolean): void {
    this.#bytes -= byteLength;
    this.#keepers.delete(keeper);
    if (!isAll) this.#keepers.add(keeper);
  }

  /** There is one: all cannot keep less than they do on average. */
  get #greediest(): Keeper | undefined {
    const shareBytes = this.#bytes / this.#keepers.size;
    for (const keeper of this.#keepers) if (keeper.byteLength >= shareBytes) return keeper;
    return undefined;
  }
}
