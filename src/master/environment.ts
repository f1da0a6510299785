// What a master takes from the outside.
import type { TaskdistError } from '../errors.ts';
import type { Clock, Socket, SocketListener } from '../ports.ts';
import type { Door } from './door.ts';
import type { MasterAddress } from './events.ts';
import type { Guest } from './guest.ts';
import type { UpgradeServer } from './upgrade-server.ts';

/** Where and how a master listens. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** There if it attaches to a server of the user's. */
  readonly server: UpgradeServer | undefined;
  /** How long after a failure it is tried again, in milliseconds. */
  readonly listenTimeout: number;
  /** How long a connection may take to ask for the upgrade, in milliseconds. */
  readonly helloTimeout: number;
  readonly maxFrameBytes: number;
  /** Who is let in. */
  readonly door: Door;
}

/** What a master hears of its listener. */
export interface ListenEvents {
  /** A client has connected; `adopt` connects its socket, which is open, to the listener it is given. `guest`: as the door knows it. */
  connected(adopt: (listener: SocketListener) => Socket, guest?: Guest): void;
  listening(address: MasterAddress): void;
  failed(error: TaskdistError): void;
}

/** Accepts connections until it is stopped. */
export interface Listener {
  /** Resolves when it listens; rejects if the first try fails. @throws InvalidOptionError at once if it never can */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** All that a master takes from the outside; see `platform/` for the real ones. */
export interface MasterEnvironment {
  readonly clock: Clock;
  /** A text that nobody can guess, another one each time. */
  readonly secret: () => string;
  createListener(options: ListenOptions, events: ListenEvents): Listener;
}
