// The options of a worker: what they mean, their defaults, and their checks.
import type { BackoffOptions } from '../backoff.ts';
import type { TaskHandler } from '../handler.ts';
import { expectLabels, type Labels } from '../labels.ts';
import {
  checkLogger,
  expectInteger,
  expectKnown,
  expectMilliseconds,
  expectObject,
  expectString,
  refuse,
} from '../options.ts';
import { type Logger, silentLogger } from '../ports.ts';
import { type CodecName, codecs } from '../protocol/codec.ts';
import { Limits } from '../protocol/decode.ts';
import type { Prefetch } from '../protocol/messages.ts';
import { isToken, type TokenSource } from './token.ts';

/** Options of a {@link Worker}. All times are in milliseconds. */
export interface WorkerOptions<T> {
  /**
   * Where the master is, e.g. `wss://example.org/taskdist`; `http:` and `https:` are read as `ws:` and `wss:`.
   * Goes instead of `protocol`, `masterHost` and `masterPort`.
   */
  readonly url?: string | URL | undefined;
  /** The master's host. @defaultValue 'localhost' */
  readonly masterHost?: string | undefined;
  /** The master's port, 1 to 65535. @defaultValue 9000 */
  readonly masterPort?: number | undefined;
  /** `ws`, or `wss` for a master behind TLS. @defaultValue 'ws' */
  readonly protocol?: 'ws' | 'wss' | undefined;
  /** What the worker is called in lists and errors, 1 to 256 characters. @defaultValue 'browser', or 'node-' and the process id */
  readonly name?: string | undefined;
  /**
   * How many tasks run at once, an integer from 1 to 65536.
   * @defaultValue what the handler's `getConcurrency()` says, else 1
   */
  readonly concurrency?: number | undefined;
  /**
   * How many further tasks the worker holds, so that the next one is at hand when one ends; an integer from 0 to
   * 65536. `'auto'` leaves it to the master, which follows the round trip and the time that tasks take: many when tasks
   * are short or the way is long, none when they are so long that the way does not matter. @defaultValue 'auto'
   */
  readonly prefetch?: number | 'auto' | undefined;
  /**
   * Which tasks the worker takes: a list of values of `task.type`, at most 1024 of at most 256 characters, 8192 in all,
   * which the master goes by; or a predicate, which the worker asks for every task that comes, of the types that the handler
   * `accepts`, and rejects it if the answer is false.
   * @defaultValue what the handler's `accepts` says, else all tasks
   */
  readonly accepts?: readonly string[] | ((task: T) => boolean) | undefined;
  /**
   * What the worker has, for tasks that require it: at most 64 labels, each a text, a number or a boolean, e.g. `{ gpu: true, memory: 8 }`.
   * @defaultValue none
   */
  readonly labels?: Labels | undefined;
  /**
   * What the worker shows its master to be let in, at most 8192 characters: a text, or a function that is asked anew at each
   * connection, and may return a promise. If it throws or rejects, that try to connect has failed. A master that does
   * not take the token stops the worker. @defaultValue none
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** How long one try to connect may take, token and welcome included, in milliseconds ≥ 1. @defaultValue 5000 */
  readonly connectTimeout?: number | undefined;
  /** How tries to connect are spaced; false: a lost connection is not made again. @defaultValue { base: 500, factor: 2, cap: 30000 } */
  readonly reconnect?: BackoffOptions | false | undefined;
  /**
   * How long an attempt that was called off may take to end, in milliseconds ≥ 0. Then its slot is given away, and
   * `stop()` does not wait for it any longer. Only a sandbox can really end a handler that does not listen to
   * `context.signal`; let this be longer than the sandbox's own `grace`. @defaultValue 2000
   */
  readonly grace?: number | undefined;
  /** How messages are written. @defaultValue 'msgpack' */
  readonly codec?: CodecName | undefined;
  /** Gets what the worker has to say. @defaultValue silent */
  readonly logger?: Logger | undefined;
}

/** The options, checked and complete. */
export interface CheckedWorkerOptions<T> {
  readonly url: string;
  readonly name: string;
  readonly concurrency: number;
  readonly prefetch: Prefetch;
  readonly acceptedTypes: readonly string[] | undefined;
  readonly labels: Labels | undefined;
  readonly acceptsTask: ((task: T) => boolean) | undefined;
  readonly token: TokenSource | undefined;
  readonly connectTimeout: number;
  readonly reconnect: BackoffOptions | false;
  readonly grace: number;
  readonly codec: CodecName;
  readonly logger: Logger;
}

const defaults = Object.freeze({
  masterHost: 'localhost',
  masterPort: 9000,
  protocol: 'ws',
  prefetch: 'auto',
  connectTimeout: 5000,
  reconnect: Object.freeze({}),
  grace: 2000,
  codec: 'msgpack',
  logger: silentLogger,
} satisfies WorkerOptions<never>);

const known = [...Object.keys(defaults), 'url', 'name', 'concurrency', 'accepts', 'labels', 'token'];

/** @throws InvalidOptionError */
export function checkWorkerOptions<T>(
  options: WorkerOptions<T>,
  defaultName: string,
  handler: TaskHandler<T, unknown>,
): CheckedWorkerOptions<T> {
  expectObject('options', options);
  expectKnown('Worker', options, known);
  const { name = defaultName, prefetch = defaults.prefetch, accepts = handler.accepts, labels, token } = options;
  const concurrency = options.concurrency ?? handler.getConcurrency?.() ?? 1;
  const { connectTimeout = defaults.connectTimeout, grace = defaults.grace, reconnect = defaults.reconnect } = options;
  const { codec = defaults.codec, logger = defaults.logger } = options;
  expectString('name', name, Limits.nameCharacters);
  const concurrencySource = options.concurrency === undefined ? 'handler.getConcurrency()' : 'concurrency';
  expectInteger(concurrencySource, concurrency, 1, Limits.credit);
  if (prefetch !== 'auto') expectPrefetch(prefetch);
  const acceptedTypes = typeof accepts === 'function' ? handler.accepts : accepts;
  if (acceptedTypes !== undefined) expectTypes('accepts', acceptedTypes);
  if (labels !== undefined) expectLabels('labels', labels);
  if (token !== undefined && typeof token !== 'function' && !isToken(token)) {
    // Not shown, whatever it is.
    refuse('token', `a text of at most ${Limits.tokenCharacters} characters, or a function`, {});
  }
  expectMilliseconds('connectTimeout', connectTimeout, 1, false);
  expectMilliseconds('grace', grace, 0, false);
  if (!Object.hasOwn(codecs, codec)) refuse('codec', `one of ${Object.keys(codecs).join(', ')}`, codec);
  return {
    url: toUrl(options),
    name,
    concurrency,
    prefetch,
    // Copies, as their owner may go on to change them.
    labels: labels === undefined ? undefined : { ...labels },
    acceptedTypes: acceptedTypes === undefined ? undefined : [...acceptedTypes],
    acceptsTask: typeof accepts === 'function' ? accepts : undefined,
    token,
    connectTimeout,
    reconnect,
    grace,
    codec,
    logger: checkLogger('logger', logger),
  };
}

function expectPrefetch(prefetch: unknown): void {
  if (typeof prefetch === 'number' && Number.isInteger(prefetch) && prefetch >= 0 && prefetch <= Limits.credit) return;
  refuse('prefetch', `'auto', or an integer from 0 to ${Limits.credit}`, prefetch);
}

function expectTypes(name: string, types: unknown): void {
  const isList =
    Array.isArray(types) &&
    types.length <= Limits.acceptedTypes &&
    types.every((type) => typeof type === 'string' && type.length <= Limits.nameCharacters) &&
    types.join('').length <= Limits.acceptedCharacters;
  if (!isList)
    refuse(
      name,
      `a list of at most ${Limits.acceptedTypes} task types of at most ${Limits.nameCharacters} characters, ${Limits.acceptedCharacters} in all, or a function`,
      types,
    );
}

function toUrl<T>(options: WorkerOptions<T>): string {
  if (options.url === undefined) {
    const {
      masterHost = defaults.masterHost,
      masterPort = defaults.masterPort,
      protocol = defaults.protocol,
    } = options;
    expectString('masterHost', masterHost, 255);
    expectInteger('masterPort', masterPort, 1, 65_535);
    if (protocol !== 'ws' && protocol !== 'wss') refuse('protocol', "'ws' or 'wss'", protocol);
    if (/[\s/?#@\\]/.test(masterHost)) refuse('masterHost', 'a host name', masterHost);
    const host = masterHost.includes(':') && !masterHost.startsWith('[') ? `[${masterHost}]` : masterHost;
    return parse('masterHost', `${protocol}://${host}:${masterPort}`, masterHost).href;
  }
  for (const name of ['masterHost', 'masterPort', 'protocol'] as const) {
    if (options[name] !== undefined) refuse(name, 'absent, as `url` is given', options[name]);
  }
  const url = parse('url', String(options.url), String(options.url));
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(url.protocol) || url.hash !== '') refuse('url', 'a WebSocket URL', String(options.url));
  return url.href;
}

function parse(name: string, text: string, given: string): URL {
  try {
    return new URL(text);
  } catch {
    return refuse(name, name === 'url' ? 'a WebSocket URL' : 'a host name', given);
  }
}
