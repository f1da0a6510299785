// Who a worker is: what the user's `authenticate` is asked, and what its answer means.
import { messageOf } from '../errors.ts';
import type { Logger } from '../ports.ts';
import { isPromiseLike } from '../promise-like.ts';

/** A connection as it was asked for. */
export interface ConnectionRequest {
  /** Where it comes from: what `addressOf` says, or the address of the socket's other end. */
  readonly address: string;
  /** The page that it comes from, as browsers say it; absent for programs. */
  readonly origin?: string | undefined;
  /** The headers of the HTTP request, with their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** The path and query that were asked for. */
  readonly url: string;
  /** What the worker calls itself; there once it has said hello. */
  readonly name?: string | undefined;
}

/** Who a worker is. */
export interface Identity {
  /** 1 to 256 characters, the same for all connections of the same. */
  readonly id: string;
  /** Whether what it says can be relied on. @defaultValue false */
  readonly isTrusted?: boolean | undefined;
}

/**
 * Judges a worker by its token: `false` refuses it, `true` lets it in, and an identity lets it in under that. If it throws or
 * rejects, the connection ends, and the worker tries again later.
 */
export type Authenticate = (
  token: string | undefined,
  request: ConnectionRequest,
) => boolean | Identity | Promise<boolean | Identity>;

/** What came of it. */
export type Verdict =
  | { readonly kind: 'let in'; readonly identity: Identity | undefined }
  | { readonly kind: 'refused' }
  /** Nothing is known of the worker, as `authenticate` failed. */
  | { readonly kind: 'failed' };

/** As {@link Authenticate}, but it never throws or rejects. */
export type Authenticator = (token: string | undefined, request: ConnectionRequest) => Verdict | PromiseLike<Verdict>;

const REFUSED: Verdict = { kind: 'refused' };
const ANONYMOUS: Verdict = { kind: 'let in', identity: undefined };
const FAILED: Verdict = { kind: 'failed' };

/** Makes sure of an answer, whatever the user's function does; what goes wrong is logged. */
export function createAuthenticator(authenticate: Authenticate, logger: Logger): Authenticator {
  const failed = (error: unknown): Verdict => {
    logger.error(`\`authenticate\` failed: ${messageOf(error)}`, error);
    return FAILED;
  };
  const judge = (answer: unknown): Verdict => {
    if (answer === false) return REFUSED;
    if (answer === true) return ANONYMOUS;
    const identity = identityOf(answer);
    return identity === undefined
      ? failed(new TypeError('It must return a boolean or an identity'))
      : { kind: 'let in', identity };
  };
  return (token, request) => {
    try {
      const answer = authenticate(token, request);
      return isPromiseLike(answer) ? Promise.resolve(answer).then(judge).catch(failed) : judge(answer);
    } catch (error) {
      return failed(error);
    }
  };
}

/** A copy, as the user may go on to change theirs. */
function identityOf(answer: unknown): Identity | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const id: unknown = Reflect.get(answer, 'id');
  if (typeof id !== 'string' || id.length === 0 || id.length > 256) return undefined;
  return { id, isTrusted: Reflect.get(answer, 'isTrusted') === true };
}
