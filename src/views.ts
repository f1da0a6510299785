// The kinds of typed array that cross wires and borders.

/** What makes a view of a whole buffer. */
export type ViewConstructor = new (buffer: ArrayBuffer) => ArrayBufferView;

/** In the order of their numbers in MessagePack: 0, 1, 2, … */
export const typedArrays: readonly ViewConstructor[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/**
 * The kind that a view is; a subclass, such as Buffer, is what it extends. Undefined for a kind that is not known here,
 * such as Float16Array.
 */
export function kindOf(view: ArrayBufferView): ViewConstructor | undefined {
  return [DataView, ...typedArrays].find((View) => view instanceof View);
}

/** The bytes of a view, not copied. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
