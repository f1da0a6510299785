// A worker on virtual time, in a process and a page of its own, at the end of a line of its own.
import type { TaskFunction, TaskHandler } from '../handler.ts';
import { expectMilliseconds, refuse } from '../options.ts';
import type { WorkerOptions } from '../worker/options.ts';
import { Worker } from '../worker/worker.ts';
import { sleep } from './sleep.ts';
import type { VirtualProcess } from './virtual-clock.ts';
import { virtualEnvironment } from './virtual-environment.ts';
import type { Direction } from './virtual-link.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { VirtualPage } from './virtual-page.ts';

const DIRECTIONS: readonly string[] = ['up', 'down', 'both'];

/** What a simulated worker lives in. */
export interface WorkerWorld {
  readonly process: VirtualProcess;
  readonly network: VirtualNetwork;
  readonly seed: number;
  readonly name: string;
  readonly address: string;
}

/** A {@link Worker} that has been started, and all that can befall it. */
export class SimulatedWorker<T, R> extends Worker<T, R> {
  /** The process that it is: what its time is, and whether it runs. */
  readonly process: VirtualProcess;
  /** Its line to the masters, and all connections that it made. */
  readonly network: VirtualNetwork;
  /** The page that it lives in. */
  readonly page: VirtualPage;
  /** Where it connects from, as masters see it. */
  readonly address: string;

  /** For {@link Simulation}. */
  constructor(handler: TaskHandler<T, R> | TaskFunction<T, R>, options: WorkerOptions<T>, world: WorkerWorld) {
    const { process, network, seed, name, address } = world;
    const page = new VirtualPage();
    super(handler, options, virtualEnvironment({ clock: process, network, page, seed, name }));
    this.process = process;
    this.network = network;
    this.page = page;
    this.address = address;
  }

  /** False once it has crashed. */
  get isAlive(): boolean {
    return this.process.isAlive;
  }

  /**
   * For its handler: waits so many milliseconds of virtual time, and rejects with the signal's reason when that aborts. While
   * the process stands still it does not go on, and after a crash never. Can be handed on as it is.
   * @throws InvalidOptionError, as a rejection
   */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleep(this.process, ms, signal);

  /** The process is gone, without a goodbye; its system ends its connection. It cannot be started again: make another worker. */
  crash(): void {
    this.process.kill();
    for (const link of this.network.openLinks) link.abandon('client');
  }

  /**
   * For so many milliseconds ≥ 0 nothing of the process runs, and it reads nothing: a handler computes, or a laptop sleeps.
   * @throws InvalidOptionError
   */
  stall(ms: number): void {
    expectMilliseconds('ms', ms, 0, false);
    this.process.stall(ms);
  }

  /** Its connection breaks, and both sides are told. */
  disconnect(): void {
    this.network.links.at(-1)?.reset();
  }

  /**
   * All that is sent on its connection is lost from now on, to the master (`up`), from it (`down`) or both, and nobody is told.
   * @throws InvalidOptionError
   */
  halfOpen(direction: Direction | 'both' = 'both'): void {
    if (!DIRECTIONS.includes(direction)) refuse('direction', "'up', 'down' or 'both'", direction);
    this.network.links.at(-1)?.drop(direction);
  }

  /** The page is left, or put to sleep, as when its user goes to another one. */
  leave(): void {
    this.page.hide();
  }

  /** The page is back, after {@link leave}. */
  comeBack(): void {
    this.page.show();
  }
}
