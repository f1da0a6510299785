// Which pages may connect: the origins that browsers name at the upgrade, and programs do not.
import { refuse } from '../options.ts';

/** `'*'`: any page. Undefined: those of the very host that they connect to. */
export type Origins = '*' | ReadonlySet<string> | undefined;

/** Takes a list of origins, each as browsers write it. @throws InvalidOptionError */
export function checkOrigins(origins: '*' | readonly string[] | undefined): Origins {
  if (origins === undefined || origins === '*') return origins;
  const expected = "'*', or a list of origins such as 'https://example.org'";
  if (!Array.isArray(origins)) refuse('origins', expected, origins);
  return new Set(origins.map((origin, index) => normalise(origin) ?? refuse(`origins[${index}]`, expected, origin)));
}

/** Whether a page of this origin may connect; `host` is what it has connected to. Who names none is no page. */
export function isAllowedOrigin(origins: Origins, origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || origins === '*') return true;
  if (origins !== undefined) return origins.has(origin);
  return host !== undefined && isHostOf(origin, host);
}

/** With the origin's scheme, as either of the two may name a port that the other need not. */
function isHostOf(origin: string, host: string): boolean {
  const url = parse(origin);
  return url?.host !== undefined && url.host !== '' && url.host === parse(`${url.protocol}//${host}`)?.host;
}

/** An origin as browsers write it: in small letters, without a path, or a port that goes without saying. */
function normalise(origin: unknown): string | undefined {
  if (typeof origin !== 'string') return undefined;
  const url = parse(origin);
  if (url === undefined || url.host === '' || /^wss?:$/.test(url.protocol)) return undefined;
  const isBare = ['', '/'].includes(url.pathname) && !/[?#@\\\s]/.test(origin);
  // `url.origin` is 'null' where the scheme is not one of the web, as for a browser's extensions.
  return isBare ? `${url.protocol}//${url.host.toLowerCase()}` : undefined;
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
