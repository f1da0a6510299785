// A network in memory: WebSockets as the library sees them, whose latency and faults are the program's to choose.
import type { Clock, Connect, Random } from '../ports.ts';
import type { Place } from './place.ts';
import { type Accept, type ChooseSubprotocol, type Server, VirtualLink, type WireObserver } from './virtual-link.ts';

/** The ports of all machines; undefined: whatever else is asked for. */
export type Servers = Map<string | undefined, Server>;

/** How a {@link VirtualNetwork} behaves. */
export interface VirtualNetworkOptions {
  /** How long a packet travels, in milliseconds; every link can be given another. @defaultValue 5 */
  readonly latencyMs?: number;
  /** By how much longer it may take, in milliseconds. @defaultValue 0 */
  readonly jitterMs?: number;
  /** Draws the jitter. @defaultValue none */
  readonly random?: Random;
  /** How long a side that closes waits for the peer to say the same, in milliseconds. @defaultValue 30000, as `ws` */
  readonly closeTimeoutMs?: number;
  /** Networks that share these reach the same servers. @defaultValue its own */
  readonly servers?: Servers;
  /** Where those who connect are. @defaultValue nowhere: they have no address, and are no page */
  readonly place?: Place;
  /** Whether sockets keep all that was sent through them. @defaultValue true */
  readonly isRecording?: boolean;
  readonly observer?: WireObserver | undefined;
}

/**
 * Servers, and clients that are as far away. Frames arrive in order, copied, binary ones as an ArrayBuffer. A failed or
 * broken connection is told as 1006, and a close as the code and reason of the side that closed.
 */
export class VirtualNetwork {
  /** Every connection ever tried, the oldest first. */
  readonly links: VirtualLink[] = [];
  /** While true, nobody answers a client that connects: neither opened nor refused. */
  isSilent = false;
  /** For connections to come. */
  latencyMs: number;
  /** For connections to come. */
  jitterMs: number;
  readonly #options: VirtualNetworkOptions;
  readonly #servers: Servers;

  constructor(options: VirtualNetworkOptions = {}) {
    this.#options = options;
    this.latencyMs = options.latencyMs ?? 5;
    this.jitterMs = options.jitterMs ?? 0;
    this.#servers = options.servers ?? new Map();
  }

  /** Accepts all connections from now on; without a server they are refused. Returns how to stop that. */
  listen(
    clock: Clock,
    accept: Accept,
    choose: ChooseSubprotocol = (offered) => offered[0],
    { port, path }: { readonly port?: string; readonly path?: string } = {},
  ): () => void {
    return this.serve(port, { clock, admit: () => accept, choose, path });
  }

  /** As {@link listen}, by a server that may refuse some. */
  serve(port: string | undefined, server: Server): () => void {
    this.#servers.set(port, server);
    return () => {
      if (this.#servers.get(port) === server) this.#servers.delete(port);
    };
  }

  /** How a client connects that lives by this clock. */
  connectorOf(clock: Clock): Connect {
    return (url, subprotocols, listener) => {
      const { random = () => 0, closeTimeoutMs = 30_000, isRecording = true, place, observer } = this.#options;
      const { latencyMs, jitterMs } = this;
      const line = { latencyMs, jitterMs, random, closeTimeoutMs, isRecording, place, observer };
      const link = new VirtualLink(url, clock, listener, line);
      this.links.push(link);
      if (!this.isSilent) link.dial(subprotocols, () => this.#serverOf(url));
      return link.client;
    };
  }

  /** The connections that are up. */
  get openLinks(): VirtualLink[] {
    return this.links.filter((link) => link.isOpen);
  }

  /** The connection made last. @throws if there is none */
  get lastLink(): VirtualLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('Nobody has connected');
    return link;
  }

  #serverOf(url: string): Server | undefined {
    const { port, pathname } = new URL(url);
    const server = this.#servers.get(port) ?? this.#servers.get(undefined);
    return server?.path === undefined || server.path === pathname ? server : undefined;
  }
}
