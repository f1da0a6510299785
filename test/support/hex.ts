// Bytes as people write them down.

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Blanks are left out. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const pairs = text.replaceAll(/\s/g, '').match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}
