// Large binary results: what they hold, and the check that they arrived.

export interface BinaryTask {
  readonly seed: number;
}

/** 256 KiB. */
const LENGTH = 32_768;
export const RESULT_BYTES = LENGTH * Float64Array.BYTES_PER_ELEMENT;

export function arrayOf({ seed }: BinaryTask): Float64Array {
  return new Float64Array(LENGTH).fill(seed);
}

/** Throws unless the bytes are those of the task's array; looks at both ends and the middle. */
export function expectArrayOf({ seed }: BinaryTask, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
  if (byteLength !== RESULT_BYTES) throw new Error(`Expected ${RESULT_BYTES} bytes, got ${byteLength}`);
  const view = new DataView(buffer, byteOffset, byteLength);
  for (const index of [0, LENGTH / 2, LENGTH - 1]) {
    const value = view.getFloat64(index * Float64Array.BYTES_PER_ELEMENT, true);
    if (value !== seed) throw new Error(`Expected ${seed} at ${index}, got ${value}`);
  }
}
