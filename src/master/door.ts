// Who is let in: decides at the upgrade, before anything is spent on a connection, and keeps count of those inside.

import { messageOf } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { CloseCode } from '../protocol/close-codes.ts';
import { isLoopback, networkOf } from './addresses.ts';
import type { ConnectionRequest } from './authentication.ts';
import { Bans, type BanTerms } from './bans.ts';
import { Crowd, type CrowdLimits } from './crowd.ts';
import { Guest, type GuestBook } from './guest.ts';
import { Lobby, type WaitingSocket } from './lobby.ts';
import { isAllowedOrigin, type Origins } from './origins.ts';

/** Why a connection is not let in, as an answer by HTTP. */
export class Refusal {
  readonly status: number;
  readonly reason: string;
  /** When it may be worth another try, if that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, retryAfterMs?: number) {
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a door goes by. */
export interface DoorRules extends CrowdLimits {
  readonly origins: Origins;
  readonly addressOf: ((request: ConnectionRequest) => string) | undefined;
  /** Undefined: nobody is banned. */
  readonly ban: BanTerms | undefined;
}

/** What a door tells. */
export interface DoorListener {
  refused(address: string, refusal: Refusal): void;
  banned(address: string, reason: string, durationMs: number): void;
}

/** What the WebSocket layer closes with: a breach of its rules, a text that is not UTF-8, too many pieces. */
const WEBSOCKET_STRIKES = [1002, 1007, 1008];

/** What only a peer that does not keep to the protocol, or does not know the token, brings about. */
const STRIKES: ReadonlySet<number> = new Set([
  ...WEBSOCKET_STRIKES,
  CloseCode.frameTooLarge,
  CloseCode.badFrame,
  CloseCode.unauthorized,
  CloseCode.helloTimeout,
  CloseCode.violation,
  CloseCode.tooManyMessages,
]);

/** Of an origin, so much is told: whoever makes one up may fill a header with it. */
const MAX_TOLD_CHARACTERS = 256;

/** So many may always be about to ask, unless `maxPending` is less: of fewer, a flood would cut off who is just going to. */
const LEAST_ROOM = 100;

/** The door of a master. */
export class Door implements GuestBook {
  readonly #rules: DoorRules;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listener: DoorListener;
  readonly #lobby: Lobby;
  readonly #crowd: Crowd;
  readonly #bans: Bans | undefined;

  constructor(rules: DoorRules, clock: Clock, logger: Logger, listener: DoorListener) {
    this.#rules = rules;
    this.#clock = clock;
    this.#logger = logger;
    this.#listener = listener;
    // Nobody who lets in ten connections expects thousands that have not even asked.
    this.#lobby = new Lobby({
      maxWaiting: Math.min(rules.maxPending, Math.max(rules.maxConnections, LEAST_ROOM)),
      maxWaitingPerAddress: Math.min(rules.maxPendingPerAddress, rules.maxConnectionsPerAddress),
    });
    this.#crowd = new Crowd(rules);
    this.#bans = rules.ban === undefined ? undefined : new Bans(rules.ban);
  }

  /** A connection has come. Until it {@link asked}, there is nothing that could be answered: who may not stay is cut off. */
  arrive(socket: WaitingSocket, address: string): void {
    const network = this.#networkOf(address);
    const refusal = this.#judgeArrival(network);
    if (refusal !== undefined) {
      this.#cutOff(socket, address, refusal);
      return;
    }
    const longest = this.#lobby.enter({ socket, address, network });
    if (longest === undefined) return;
    const reason = 'Too many connections have not asked for their upgrade; this one had the longest time to';
    this.#cutOff(longest.socket, longest.address, new Refusal(503, reason));
  }

  /** A connection has asked for its upgrade: it is answered now, or becomes a guest. */
  asked(socket: WaitingSocket): void {
    this.#lobby.leave(socket);
  }

  /** Judges a request, which has come to this host. A guest is not counted until it {@link enter}s. */
  knock(request: ConnectionRequest, host: string | undefined): Guest | Refusal {
    const guest = this.#identify(request);
    if (guest === undefined) return this.#refuse(request, new Refusal(500, 'Its address is not known (`addressOf`)'));
    const refusal = this.#judge(guest, request.origin, host);
    return refusal === undefined ? guest : this.#refuse(guest, refusal);
  }

  /** The upgrade is complete. */
  enter(guest: Guest): void {
    const { connection } = this.#crowd.add(guest) ?? {};
    connection?.dismiss(
      CloseCode.tryAgainLater,
      'Too many connections have not said hello; this one had the longest time to',
    );
  }

  greeted(guest: Guest): void {
    this.#crowd.greeted(guest);
  }

  ended({ network, address }: Guest, code: number, reason: string): void {
    if (network === undefined || !STRIKES.has(code)) return;
    const durationMs = this.#bans?.strike(network, this.#clock.now());
    if (durationMs !== undefined) this.#listener.banned(address, `${code} ${reason}`, durationMs);
  }

  left(guest: Guest): void {
    this.#crowd.remove(guest);
  }

  #cutOff(socket: WaitingSocket, address: string, refusal: Refusal): void {
    this.#refuse({ address }, refusal);
    socket.destroy();
  }

  #refuse({ address }: { readonly address: string }, refusal: Refusal): Refusal {
    this.#listener.refused(address, refusal);
    return refusal;
  }

  #judge({ network }: Guest, origin: string | undefined, host: string | undefined): Refusal | undefined {
    const ban = this.#banOf(network);
    if (ban !== undefined) return ban;
    if (!isAllowedOrigin(this.#rules.origins, origin, host)) {
      return new Refusal(403, `Pages of ${origin?.slice(0, MAX_TOLD_CHARACTERS)} may not connect (\`origins\`)`);
    }
    switch (this.#crowd.surplus(network)) {
      case 'in all':
        return new Refusal(503, 'There are too many connections (`maxConnections`)');
      case 'of this address':
        return new Refusal(429, 'There are too many connections from its address');
      case undefined:
        return undefined;
    }
  }

  #judgeArrival(network: string | undefined): Refusal | undefined {
    const ban = this.#banOf(network);
    if (ban !== undefined || !this.#lobby.isFull(network)) return ban;
    return new Refusal(429, 'Too many connections from its address have not asked for their upgrade');
  }

  #banOf(network: string | undefined): Refusal | undefined {
    const bannedMs = network === undefined ? 0 : (this.#bans?.remainingMs(network, this.#clock.now()) ?? 0);
    return bannedMs > 0 ? new Refusal(403, 'Its address is banned', bannedMs) : undefined;
  }

  /** What counts as the address of a socket. If the user says what addresses are, it is not known before there is a request. */
  #networkOf(address: string): string | undefined {
    return this.#rules.addressOf !== undefined || isLoopback(address) ? undefined : networkOf(address);
  }

  /**
   * Behind a proxy on the same machine, everybody comes by loopback. So nothing is counted by address there, unless the
   * user says what the addresses are.
   */
  #identify(request: ConnectionRequest): Guest | undefined {
    const { addressOf } = this.#rules;
    if (addressOf === undefined) return new Guest(this, request, this.#networkOf(request.address));
    try {
      const address: unknown = addressOf(request);
      if (typeof address !== 'string' || address.length === 0 || address.length > 256) {
        throw new TypeError('It must return a string of 1 to 256 characters');
      }
      return new Guest(this, { ...request, address }, networkOf(address));
    } catch (error) {
      this.#logger.error(`\`addressOf\` failed: ${messageOf(error)}`, error);
      return undefined;
    }
  }
}
