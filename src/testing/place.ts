// Where a worker is: how far away, and what its master sees of that.
import type { ConnectionRequest } from '../master/authentication.ts';
import { expectKnown, expectMilliseconds, expectObject, expectString, refuse } from '../options.ts';

/** How far away somebody is. All times are in milliseconds. */
export interface LineOptions {
  /** How long a frame travels, each way, in milliseconds ≥ 0. @defaultValue 5 */
  readonly latency?: number | undefined;
  /** By how much longer it may take, in milliseconds ≥ 0: drawn anew for each. None overtakes another. @defaultValue 0 */
  readonly jitter?: number | undefined;
}

/** Where a worker is. What is left out of its line is as for all others. */
export interface PlaceOptions extends LineOptions {
  /**
   * The address that its connections come from, 1 to 256 characters: what the options of the master go by that count by address.
   * As in life, nothing is counted by address for those of `127.0.0.1`, and workers of the same address are counted together.
   * @defaultValue one that no other worker has: `10.0.0.1` for the first, `10.0.0.2` for the second, and so on
   */
  readonly address?: string | undefined;
  /**
   * The origin of the page that it runs in, such as `https://example.org`: what the master's `origins` goes by.
   * @defaultValue none: it is a program
   */
  readonly origin?: string | undefined;
  /**
   * What is said with its request to connect, by a browser or a proxy: names in small letters, and texts. `authenticate` and
   * `addressOf` are shown these, with `host` and `origin` beside them. @defaultValue {}
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A line, complete. */
export interface Line {
  readonly latency: number;
  readonly jitter: number;
}

/** What a master sees of where a connection comes from. */
export interface Place {
  readonly address: string;
  readonly origin: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of a line of which nothing was said. */
export const lineDefaults = Object.freeze({ latency: 5, jitter: 0 } satisfies Line);

const MAX_CHARACTERS = 256;

/** Completes a line by another one. @throws InvalidOptionError */
export function checkLine({ latency, jitter }: LineOptions, base: Line): Line {
  const line = { latency: latency ?? base.latency, jitter: jitter ?? base.jitter };
  expectMilliseconds('latency', line.latency, 0, false);
  expectMilliseconds('jitter', line.jitter, 0, false);
  return line;
}

/** Completes a place, of the worker with that number, the first of which is 1. @throws InvalidOptionError */
export function checkPlace(options: PlaceOptions, base: Line, number: number): Line & Place {
  expectObject('place', options);
  expectKnown('worker', options, ['latency', 'jitter', 'address', 'origin', 'headers']);
  const { address = addressOf(number), origin, headers = {} } = options;
  const line = checkLine(options, base);
  expectString('address', address, MAX_CHARACTERS);
  if (origin !== undefined) expectString('origin', origin, MAX_CHARACTERS);
  expectObject('headers', headers);
  for (const [name, value] of Object.entries(headers)) {
    const isOurs = name === 'host' || name === 'origin';
    if (isOurs || name !== name.toLowerCase()) refuse('headers', 'named in small letters, but host and origin', name);
    if (typeof value !== 'string') refuse(`headers.${name}`, 'a text', value);
  }
  return { ...line, address, origin, headers: { ...headers } };
}

/** Nobody has said where it is. */
const NOWHERE: Place = Object.freeze({ address: '', origin: undefined, headers: {} });

/** What a server is told at the upgrade of a connection to that URL. */
export function requestOf(url: string, { address, origin, headers }: Place = NOWHERE): ConnectionRequest {
  const { host, pathname, search } = new URL(url);
  return {
    address,
    origin,
    headers: { ...headers, host, ...(origin === undefined ? {} : { origin }) },
    url: pathname + search,
  };
}

/** Of a private network, as none of this machine is counted. There are 16 million. */
function addressOf(number: number): string {
  return `10.${[16, 8, 0].map((shift) => (number >> shift) & 0xff).join('.')}`;
}
