// What all sessions of one master keep of what they have sent: so much together, however many they are.

/** Who keeps frames. */
export interface Keeper {
  /** Drops all that it keeps, and takes it to have come. */
  drop(): void;
}

/** Enough for a frame of a mebibyte for each of 64, and of small ones for as many as there are. */
const MAX_BYTES = 67_108_864;

/**
 * When there is too much, the one drops its frames that has waited longest to learn that any of its own have come: it is the
 * least likely to need them, or never tells. It may go on after a lost connection all the same, if they did come.
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
    while (this.#bytes > this.#maxBytes) {
      const [longest] = this.#keepers;
      if (longest === undefined) return;
      longest.drop();
    }
  }

  /** So much has come, or is not needed any more; `isAll`: nothing else is kept there. */
  remove(keeper: Keeper, byteLength: number, isAll: boolean): void {
    this.#bytes -= byteLength;
    this.#keepers.delete(keeper);
    if (!isAll) this.#keepers.add(keeper);
  }
}
