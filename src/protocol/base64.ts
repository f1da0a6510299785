// Bytes as base64 text (RFC 4648) and back, where neither Buffer nor Uint8Array.toBase64 can be counted on.

/** `String.fromCharCode` takes its characters as arguments, of which an engine allows only so many. */
const CHUNK_BYTES = 0x2000;

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK_BYTES));
  }
  return btoa(binary);
}

/** @throws if the text is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
