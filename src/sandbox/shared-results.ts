// Results in memory that a thread shares with its sandbox: of short tasks, whose posting would take longer than they do.

/** So many results wait at most to be read: more than are ever sent ahead. A power of two. */
const CAPACITY = 512;
/** The call, its result, and how long it ran. */
const SLOT_NUMBERS = 3;

/** Of the counters: how many results have been written, and read, as 32 bits. */
const WRITTEN = 0;
const READ = 1;
const COUNTER_BYTES = 8;

/** Node shares memory, and so does a page that is isolated from other origins; elsewhere there is no such class. */
const canShare = typeof SharedArrayBuffer === 'function';

/**
 * A ring of results that are numbers. The thread writes one as soon as there is one, and the sandbox can read it at any
 * time, whatever the thread does next: so it need not be told of each, as it must of what is posted.
 */
export class SharedResults {
  /** To give to the other side. */
  readonly buffer: SharedArrayBuffer;
  readonly #counters: Int32Array;
  readonly #slots: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#counters = new Int32Array(buffer, 0, 2);
    this.#slots = new Float64Array(buffer, COUNTER_BYTES, CAPACITY * SLOT_NUMBERS);
  }

  /** A ring with nothing in it; undefined where memory cannot be shared. */
  static create(): SharedResults | undefined {
    if (!canShare) return undefined;
    return new SharedResults(new SharedArrayBuffer(COUNTER_BYTES + CAPACITY * SLOT_NUMBERS * 8));
  }

  /** For the thread. Returns whether there was room. */
  write(call: number, result: number, durationMs: number): boolean {
    const written = Atomics.load(this.#counters, WRITTEN);
    if (((written - Atomics.load(this.#counters, READ)) | 0) >= CAPACITY) return false;
    const slot = slotOf(written);
    this.#slots[slot] = call;
    this.#slots[slot + 1] = result;
    this.#slots[slot + 2] = durationMs;
    // Last, as whoever sees it reads the slot.
    Atomics.store(this.#counters, WRITTEN, (written + 1) | 0);
    return true;
  }

  /** For the sandbox: hands over what has been written, in its order, up to the first that is not due yet. */
  read(
    take: (call: number, result: number, durationMs: number) => void,
    isDue = (_call: number): boolean => true,
  ): void {
    for (;;) {
      const read = Atomics.load(this.#counters, READ);
      if (read === Atomics.load(this.#counters, WRITTEN)) return;
      const slot = slotOf(read);
      const call = this.#slots[slot] ?? 0;
      const result = this.#slots[slot + 1] ?? 0;
      const durationMs = this.#slots[slot + 2] ?? 0;
      if (!isDue(call)) return;
      Atomics.store(this.#counters, READ, (read + 1) | 0);
      take(call, result, durationMs);
    }
  }
}

function slotOf(count: number): number {
  return (count & (CAPACITY - 1)) * SLOT_NUMBERS;
}
