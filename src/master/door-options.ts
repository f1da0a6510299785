// The options of a master that say who may connect, and how much of it they may take: their defaults, and their checks.
import { expectCount, expectInteger, expectKnown, expectMilliseconds, expectObject, refuse } from '../options.ts';
import type { Authenticate, ConnectionRequest } from './authentication.ts';
import type { BanTerms } from './bans.ts';
import type { DoorRules } from './door.ts';
import { checkOrigins } from './origins.ts';

/** When an address is not let in any more. Times are in milliseconds. */
export interface BanOptions {
  /** How many strikes it takes, an integer ≥ 1. @defaultValue 10 */
  readonly strikes?: number | undefined;
  /** Within which time, counted from the first, in milliseconds ≥ 1. @defaultValue 60000 */
  readonly within?: number | undefined;
  /** How long the ban lasts, in milliseconds ≥ 1. @defaultValue 600000 */
  readonly duration?: number | undefined;
}

/** The options of a master that say who may connect; docs/security.md says what to set before strangers do. */
export interface DoorOptions {
  /**
   * Asked for every worker that says hello, with its `token`: `false` refuses it for good, `true` lets it in, and an
   * identity lets it in under that. It has until `helloTimeout`. Where it throws or rejects, the connection ends
   * with 4500, the worker tries again later, and the error is logged. {@link acceptTokens} makes one.
   * @defaultValue everybody is let in
   */
  readonly authenticate?: Authenticate | undefined;
  /**
   * The pages that may connect: a list of origins, such as `['https://example.org']`, or `'*'` for any page, those without
   * an origin among them. Programs, which name no origin, always may. @defaultValue pages of the same host and port
   */
  readonly origins?: '*' | readonly string[] | undefined;
  /**
   * Tells where a connection comes from, behind a proxy that says so in a header: what is counted by address is counted
   * by what it returns, 1 to 256 characters; only connections that have not sent a request yet are not. Trust no header
   * that the proxy does not set itself. Where it throws, the connection is refused. @defaultValue the socket's address;
   * then nothing is counted by address for those of this machine
   */
  readonly addressOf?: ((request: ConnectionRequest) => string) | undefined;
  /**
   * How many connections there may be, an integer ≥ 1, or Infinity; the others get HTTP 503. So many sessions beside them may
   * wait for their workers to come back (`resumeWindow`); where there are more, the one that has waited longest is over.
   * @defaultValue 10000
   */
  readonly maxConnections?: number | undefined;
  /**
   * How many of them may come from one address, of IPv6 from one /64: an integer ≥ 1, or Infinity; the others get HTTP 429.
   * @defaultValue 256
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How many may not have said hello yet, an integer ≥ 1, or Infinity. Where there are too many, the one that had the
   * longest time to is closed: so those who say nothing keep nobody out. On a server of the master's own, so many beside them may
   * not have asked for their upgrade yet, but no more than `maxConnections`, or 100 if that is less. @defaultValue 2000
   */
  readonly maxPending?: number | undefined;
  /**
   * How many of those may come from one address, an integer ≥ 1, or Infinity; the others get HTTP 429. So many beside them may not have
   * asked for their upgrade yet, but no more than `maxConnectionsPerAddress`; the others are cut off. With `addressOf`, these are not
   * counted by address, as it is asked about requests. @defaultValue 250
   */
  readonly maxPendingPerAddress?: number | undefined;
  /**
   * How many messages per second a connection may send that nobody asked for, an integer ≥ 100, or Infinity: progress,
   * changes of the concurrency, answers that were given before, frames that say nothing; and how much of it, 256 bytes
   * for each. Averaged over `socketTimeout`, or as long as the worker is connected, as what is sent while a line stands
   * still comes all at once. Who sends more is closed with 4429; the workers of this library are told, and keep to half
   * of it: of the progress of an attempt they then send the latest only. Who gives back as many tasks is granted no
   * more for a while. @defaultValue 10000
   */
  readonly maxMessageRate?: number | undefined;
  /**
   * When an address is not let in any more, for a while, with HTTP 403; on a server of the master's own, and without `addressOf`,
   * it is cut off as it connects. Strikes are frames that are none, or too large;
   * messages that are not allowed, or too many; tokens that are refused; and connections that do not say hello in time. What
   * is connected already stays. False: nobody is banned. @defaultValue { strikes: 10, within: 60000, duration: 600000 }
   */
  readonly ban?: BanOptions | false | undefined;
}

const banDefaults = Object.freeze({ strikes: 10, within: 60_000, duration: 600_000 } satisfies BanOptions);

const defaults = Object.freeze({
  maxConnections: 10_000,
  maxConnectionsPerAddress: 256,
  maxPending: 2000,
  maxPendingPerAddress: 250,
  maxMessageRate: 10_000,
  ban: banDefaults,
} satisfies DoorOptions);

/** The least that leaves room for whatever an honest worker says unasked. */
const LEAST_MESSAGE_RATE = 100;

/** The names of all of them. */
export const doorOptionNames: readonly string[] = [...Object.keys(defaults), 'authenticate', 'origins', 'addressOf'];

/** The options, checked and complete. */
export interface CheckedDoorOptions {
  readonly rules: DoorRules;
  readonly authenticate: Authenticate | undefined;
  readonly maxMessageRate: number;
}

/** @throws InvalidOptionError */
export function checkDoorOptions(options: DoorOptions): CheckedDoorOptions {
  const { authenticate, addressOf, origins } = options;
  const { maxConnections = defaults.maxConnections, maxMessageRate = defaults.maxMessageRate } = options;
  const { maxConnectionsPerAddress = defaults.maxConnectionsPerAddress } = options;
  const { maxPending = defaults.maxPending, maxPendingPerAddress = defaults.maxPendingPerAddress } = options;
  for (const [name, value] of Object.entries({ authenticate, addressOf })) {
    if (value !== undefined && typeof value !== 'function') refuse(name, 'a function', value);
  }
  const crowd = { maxConnections, maxConnectionsPerAddress, maxPending, maxPendingPerAddress };
  for (const [name, value] of Object.entries(crowd)) expectCount(name, value, 1);
  expectCount('maxMessageRate', maxMessageRate, LEAST_MESSAGE_RATE);
  const rules = { ...crowd, origins: checkOrigins(origins), addressOf, ban: checkBan(options.ban ?? defaults.ban) };
  return { rules, authenticate, maxMessageRate };
}

function checkBan(ban: BanOptions | false): BanTerms | undefined {
  if (ban === false) return undefined;
  expectObject('ban', ban);
  expectKnown('ban', ban, Object.keys(banDefaults));
  const { strikes = banDefaults.strikes, within = banDefaults.within, duration = banDefaults.duration } = ban;
  expectInteger('ban.strikes', strikes, 1);
  expectMilliseconds('ban.within', within, 1, false);
  expectMilliseconds('ban.duration', duration, 1, false);
  return { strikes, withinMs: within, durationMs: duration };
}
