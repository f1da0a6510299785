// Peers by hand: a worker, and a master, that say what a test tells them to, and note what they hear.
import type { Clock, Frame, Socket, SocketListener } from '../../src/ports.ts';
import { codecs } from '../../src/protocol/codec.ts';
import {
  type MasterDescription,
  type MasterMessage,
  type Message,
  MessageType,
  type WorkerDescription,
  type WorkerMessage,
} from '../../src/protocol/messages.ts';
import type { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { encodeOne, masterMessages, workerMessages } from './frames.ts';

/** One end of a connection, in a test's hands. It writes MessagePack, and reads both codecs. */
export class Peer<Outgoing extends Message, Incoming> {
  /** Code and reason, once the connection is closed. */
  end: string | undefined = undefined;
  readonly #frames: Frame[] = [];
  readonly #decode: (frames: readonly Frame[]) => (readonly Incoming[])[];
  readonly #socket: Socket;
  #heard = 0;

  constructor(
    open: (listener: SocketListener) => Socket,
    decode: (frames: readonly Frame[]) => (readonly Incoming[])[],
  ) {
    this.#decode = decode;
    this.#socket = open({
      opened() {},
      drained() {},
      received: (frame) => {
        if (typeof frame === 'string') this.#frames.push(frame);
        else if (frame instanceof ArrayBuffer) this.#frames.push(new Uint8Array(frame));
        else throw new TypeError('Neither text nor bytes');
      },
      closed: (code, reason) => {
        this.end = `${code} ${reason}`.trim();
      },
    });
  }

  /** Says all this in one frame. */
  send(...messages: Outgoing[]): void {
    this.#socket.send(encodeOne(codecs.msgpack, messages));
  }

  sendRaw(frame: Frame): void {
    this.#socket.send(frame);
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** All that it has heard, frame by frame. */
  get frames(): (readonly Incoming[])[] {
    return this.#decode(this.#frames);
  }

  /** All that it has heard since this was asked last. */
  news(): Incoming[] {
    const messages = this.frames.flat();
    const news = messages.slice(this.#heard);
    this.#heard = messages.length;
    return news;
  }
}

/** A worker by hand, for tests of the master. */
export class WorkerPeer extends Peer<WorkerMessage, MasterMessage> {
  /** Connects; it is open after a round trip. */
  constructor(network: VirtualNetwork, clock: Clock, subprotocols: readonly string[] = [codecs.msgpack.subprotocol]) {
    super((listener) => network.connectorOf(clock)('ws://virtual/', subprotocols, listener), masterMessages);
  }
}

/** A master by hand, for tests of the worker. */
export class MasterPeer {
  readonly connections: Peer<MasterMessage, WorkerMessage>[] = [];
  /** Stops listening; connections go on. */
  readonly stop: () => void;

  constructor(network: VirtualNetwork, clock: Clock) {
    this.stop = network.listen(clock, (adopt) => this.connections.push(new Peer(adopt, workerMessages)));
  }

  /** The connection made last. @throws if there is none */
  get last(): Peer<MasterMessage, WorkerMessage> {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('Nobody has connected');
    return connection;
  }
}

/** A hello in the words of a test. */
export function helloOf(description: Partial<WorkerDescription> = {}): WorkerMessage {
  const usual = { version: 1, name: 'peer', platform: 'test', concurrency: 1, prefetch: 0 };
  return [MessageType.hello, { ...usual, ...description }];
}

/** A welcome in the words of a test. */
export function welcomeOf(description: Partial<MasterDescription> = {}): MasterMessage {
  const usual = { version: 1, worker: 'w1', pingInterval: 1000, socketTimeout: 3000, maxFrameBytes: 100_000 };
  return [MessageType.welcome, { ...usual, ...description }];
}
