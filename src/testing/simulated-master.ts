// A master on virtual time, in a process of its own.
import { Master } from '../master/master.ts';
import type { MasterOptions } from '../master/options.ts';
import { expectMilliseconds } from '../options.ts';
import type { TaskScheduler } from '../scheduling/scheduler.ts';
import type { VirtualProcess } from './virtual-clock.ts';
import type { VirtualLink } from './virtual-link.ts';
import { VirtualListener } from './virtual-listener.ts';
import type { Servers, VirtualNetwork } from './virtual-network.ts';

/** What a simulated master lives in. */
export interface MasterWorld {
  readonly process: VirtualProcess;
  readonly network: VirtualNetwork;
  readonly servers: Servers;
  /** All connections that there are in the simulation. */
  links(): readonly VirtualLink[];
  /** Another one each time. */
  secret(): string;
}

/** A {@link Master} that has been started, and all that can befall it. */
export class SimulatedMaster<T, R> extends Master<T, R> {
  /** The process that it is: what its time is, and whether it runs. */
  readonly process: VirtualProcess;
  readonly #cutOff: () => void;

  /** For {@link Simulation}. */
  constructor(scheduler: TaskScheduler<T, R>, options: MasterOptions, world: MasterWorld) {
    const { process, network, servers, secret } = world;
    let abandon = (): void => {};
    super(scheduler, options, {
      clock: process,
      secret,
      createListener(listenOptions, events) {
        const listener = new VirtualListener(listenOptions, events, process, network, servers);
        abandon = () => listener.abandon();
        return listener;
      },
    });
    this.process = process;
    this.#cutOff = () => {
      abandon();
      for (const link of world.links()) if (link.server?.clock === process) link.abandon('server');
    };
  }

  /** False once it has crashed. */
  get isAlive(): boolean {
    return this.process.isAlive;
  }

  /**
   * The process is gone, without a goodbye, and its scheduler with it; its system ends its connections. It cannot be started
   * again: make another scheduler, and another master.
   */
  crash(): void {
    this.process.kill();
    this.#cutOff();
  }

  /** For so many milliseconds ≥ 0 nothing of the process runs, and it reads nothing. @throws InvalidOptionError */
  stall(ms: number): void {
    expectMilliseconds('ms', ms, 0, false);
    this.process.stall(ms);
  }
}
