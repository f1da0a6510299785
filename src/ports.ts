// What the library needs from the outside: time, chance, sockets. `platform/` has the real ones, tests virtual ones.

/** Time. A timer is only a hint that it may be time to look: whoever set it reads `now()` again when it fires. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Milliseconds since 1970, for people to read. */
  epochNow(): number;
  /** Calls back once, in `delayMs` milliseconds or later. Returns a function that cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** Calls back after the current turn of the event loop, when what it started has had its say. */
  soon(callback: () => void): void;
  /**
   * Calls back when what runs now, and all the promises that it settles, have had their say: before the event loop goes
   * on, where the platform can tell, else as `soon`.
   */
  atRest(callback: () => void): void;
}

/** A number in [0, 1), uniformly distributed. */
export type Random = () => number;

/** One frame on the wire: text for JSON, bytes for MessagePack. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** An open WebSocket, reduced to what a conversation needs. */
export interface Socket {
  /** The subprotocol both sides agreed on, or an empty string. */
  readonly subprotocol: string;
  /** How much was sent and is still in the memory of this process. */
  readonly bufferedBytes: number;
  /** Sends one frame; does nothing once the socket is closing. */
  send(frame: Frame): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Ends the connection without waiting for the peer. */
  terminate(): void;
}

/** What a socket tells. After `closed` it tells nothing more. */
export interface SocketListener {
  opened(): void;
  /** A frame came in: text, bytes, or whatever else a peer managed to send. */
  received(frame: unknown): void;
  /** Something has left the buffer. Not told by browsers. */
  drained(): void;
  /** `isFault`: the socket has closed it, as the peer did not keep to the rules of WebSocket. Otherwise the peer has, or nobody. */
  closed(code: number, reason: string, isFault?: boolean): void;
}

/**
 * Opens a client's socket. Failure is reported later, as `closed`, and thrown only where it is certain at once, as for
 * `ws:` in a page of `https:`.
 */
export type Connect = (url: string, subprotocols: readonly string[], listener: SocketListener) => Socket;

/** What happens to the page that a worker lives in. */
export interface PageListener {
  /** The page is being left, or put to sleep. */
  hidden(): void;
  /** The page is back. */
  shown(): void;
  /** The network is back. */
  online(): void;
}

/** Watches the page; returns a function that stops watching. */
export type WatchPage = (listener: PageListener) => () => void;

/** Where the library writes what it has to say; silent unless given. `console` fits. */
export interface Logger {
  debug(message: string, ...details: unknown[]): void;
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

/** The default logger. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** All that a worker takes from the outside. */
export interface WorkerEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: Connect;
  readonly watchPage: WatchPage;
  /** `node` or `browser`. */
  readonly platform: string;
  /** A name to tell workers apart by, where the user gave none. */
  readonly name: string;
}
