// What happened in a simulation: the last of it in words, and all of it as one number.

/** So much is shown of a simulation that failed. */
const TAIL = Number(process.env['TASKDIST_TRACE'] ?? 120);

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** The same for the same course of events. */
export class Trace {
  readonly #tail: string[] = [];
  #count = 0;
  #hash = FNV_OFFSET;

  note(nowMs: number, what: string): void {
    const line = `${nowMs.toFixed(3)} ${what}`;
    // FNV-1a, by code units.
    let hash = this.#hash;
    for (let index = 0; index < line.length; index += 1) {
      hash = Math.imul(hash ^ line.charCodeAt(index), FNV_PRIME);
    }
    this.#hash = hash;
    this.#tail[this.#count % TAIL] = line;
    this.#count += 1;
  }

  /** Of all notes, and of their order. */
  get hash(): string {
    return `${this.#count}-${(this.#hash >>> 0).toString(16).padStart(8, '0')}`;
  }

  /** The last notes, the oldest first. */
  get tail(): string[] {
    const first = this.#count % TAIL;
    return [...this.#tail.slice(first), ...this.#tail.slice(0, first)];
  }
}
