// How a master listens in a simulation: on a port of its network, behind its door.
import { TaskdistError } from '../errors.ts';
import { Refusal } from '../master/door.ts';
import type { ListenEvents, Listener, ListenOptions } from '../master/environment.ts';
import type { Clock } from '../ports.ts';
import { isTaskdistSubprotocol, SUBPROTOCOLS } from '../protocol/codec.ts';
import type { Admit } from './virtual-link.ts';
import type { Servers, VirtualNetwork } from './virtual-network.ts';

/** The first of those that port 0 stands for. */
const FIRST_FREE_PORT = 49_152;

/** Listens on a port, and tries again if somebody else does, until it is stopped. */
export class VirtualListener implements Listener {
  readonly #options: ListenOptions;
  readonly #events: ListenEvents;
  readonly #clock: Clock;
  readonly #network: VirtualNetwork;
  readonly #servers: Servers;
  /** As the real one does at the upgrade. */
  readonly #admit: Admit = (request, host) => {
    const { door } = this.#options;
    const guest = door.knock(request, host);
    if (guest instanceof Refusal) return undefined;
    return (adopt) => {
      door.enter(guest);
      this.#events.connected(adopt, guest);
    };
  };
  #stop: () => void = () => {};

  /** `servers`: those that the network leads to. */
  constructor(options: ListenOptions, events: ListenEvents, clock: Clock, network: VirtualNetwork, servers: Servers) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#network = network;
    this.#servers = servers;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      let isStopped = false;
      this.#stop = (): void => {
        isStopped = true;
        reject(new TaskdistError('TASKDIST_STOPPED', 'The master was stopped before it listened'));
      };
      this.#clock.soon(() => {
        if (!isStopped) this.#listen(resolve, reject);
      });
    });
  }

  async stop(): Promise<void> {
    this.abandon();
  }

  /** Its process is gone. */
  abandon(): void {
    this.#stop();
    this.#stop = () => {};
  }

  #listen(listening: () => void, failed: (error: TaskdistError) => void): void {
    const { host, path, listenTimeout } = this.#options;
    const port = this.#port();
    if (this.#servers.has(String(port))) {
      const error = new TaskdistError('TASKDIST_LISTEN', `Cannot listen on ${host}:${port}: address already in use`);
      const ignore = (): void => {};
      this.#stop = this.#clock.setTimer(listenTimeout, () => this.#listen(ignore, ignore));
      this.#events.failed(error);
      failed(error);
      return;
    }
    const server = { clock: this.#clock, admit: this.#admit, choose: chooseSubprotocol, path };
    this.#stop = this.#network.serve(String(port), server);
    this.#events.listening({ host, port });
    listening();
  }

  #port(): number {
    let { port } = this.#options;
    if (port !== 0) return port;
    for (port = FIRST_FREE_PORT; this.#servers.has(String(port)); port += 1);
    return port;
  }
}

/** As the real one: who speaks another version is let in to be told so. */
function chooseSubprotocol(offered: readonly string[]): string | undefined {
  return SUBPROTOCOLS.find((known) => offered.includes(known)) ?? offered.find(isTaskdistSubprotocol);
}
