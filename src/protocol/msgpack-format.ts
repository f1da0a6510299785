// What both directions of MessagePack agree on beyond its specification: the types of extensions.

/**
 * The types of the extensions. Of {@link Extension.undefined} the payload is a byte that says nothing; so it is of a
 * set and an error, where the array that follows the extension has the contents.
 */
export const Extension = {
  undefined: 0x00,
  bigint: 0x42,
  error: 0x65,
  set: 0x73,
  typedArray: 0x74,
  /** MessagePack's own; −1 as a signed byte. */
  timestamp: 0xff,
} as const;

/** The kinds of a typed array's extension that are not numbers of `typedArrays`. */
export const ViewKind = { arrayBuffer: 16, dataView: 17 } as const;
