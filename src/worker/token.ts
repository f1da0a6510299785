// What a worker shows its master to be let in.
import { isPromiseLike } from '../promise-like.ts';
import { Limits } from '../protocol/decode.ts';

/** A token, or how to come by one. */
export type TokenSource = string | (() => string | PromiseLike<string>);

/** Whether a master can take it for a token. */
export function isToken(token: unknown): token is string {
  return typeof token === 'string' && token.length <= Limits.tokenCharacters;
}

/** Asks for the token: `got` is called at once if it is there; `failed`, if that throws as well. */
export function askToken(
  source: TokenSource | undefined,
  got: (token: string | undefined) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const token = typeof source === 'function' ? source() : source;
    if (isPromiseLike(token)) token.then(checked).then(got).then(undefined, failed);
    else got(checked(token));
  } catch (error) {
    failed(error);
  }
}

function checked(token: string | undefined): string | undefined {
  if (token === undefined || isToken(token)) return token;
  throw new TypeError(`Expected \`token\` to be a text of at most ${Limits.tokenCharacters} characters`);
}
