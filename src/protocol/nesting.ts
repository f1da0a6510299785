// How deep the values in a frame may nest: the same in every codec and direction.

/**
 * Arrays, maps, sets and errors within each other, the frame and its messages counted: a fraction of what any stack
 * endures. What holds no values, such as a date, is not counted, as codecs differ in what they write it as.
 */
const MAX_DEPTH = 256;

/** @throws RangeError if what is the `depth`th of values within each other is one too many */
export function expectDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`it nests deeper than ${MAX_DEPTH}, or contains itself`);
}
