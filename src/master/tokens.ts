// Authentication by tokens that both sides know beforehand.
import { createHash, timingSafeEqual } from 'node:crypto';
import { InvalidOptionError } from '../errors.ts';
import { Limits } from '../protocol/decode.ts';

/**
 * Makes an `authenticate` that lets in whoever has one of these tokens, of 1 to 8192 characters each. Let them be long and random, such
 * as 32 random bytes in base64. How long it takes says nothing of them, but how many there are.
 * @throws InvalidOptionError
 */
export function acceptTokens(...accepted: readonly string[]): (token: string | undefined) => boolean {
  const isRight = accepted.length > 0 && accepted.every(isToken);
  // What they are is not shown, as it is with other options.
  if (!isRight)
    throw new InvalidOptionError(`Expected tokens of 1 to ${Limits.tokenCharacters} characters, at least one`);
  const digests = accepted.map(digestOf);
  return (token) => {
    if (token === undefined) return false;
    const digest = digestOf(token);
    let isKnown = false;
    // All of them are looked at, whether or not one fits.
    for (const known of digests) isKnown = timingSafeEqual(known, digest) || isKnown;
    return isKnown;
  };
}

function isToken(token: unknown): boolean {
  return typeof token === 'string' && token.length > 0 && token.length <= Limits.tokenCharacters;
}

/** Of the same length for all, as the comparison asks for. */
function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
