// The server that a master can attach to; apart, so that users' compilers need the types of neither Node nor `ws`.

/** The part of an `http.Server` or `https.Server` that a master needs. */
export interface UpgradeServer {
  on(event: 'upgrade', listener: (request: unknown, socket: unknown, head: unknown) => void): unknown;
  off(event: 'upgrade', listener: (request: unknown, socket: unknown, head: unknown) => void): unknown;
  listenerCount(event: 'upgrade'): number;
}
