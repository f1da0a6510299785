// A whole cluster in one program, on virtual time and sockets: hours pass in seconds, and the same seed does the same again.
/// <reference lib="esnext.disposable" preserve="true" />
import { FifoScheduler } from '../fifo-scheduler.ts';
import type { TaskFunction, TaskHandler } from '../handler.ts';
import type { MasterOptions } from '../master/options.ts';
import { expectInteger, expectKnown, expectMilliseconds, expectObject, refuse } from '../options.ts';
import type { Random } from '../ports.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { TaskScheduler } from '../scheduling/scheduler.ts';
import type { FifoSchedulerOptions } from '../scheduling/scheduler-options.ts';
import type { WorkerOptions } from '../worker/options.ts';
import {
  checkLine,
  checkPlace,
  type Line,
  type LineOptions,
  lineDefaults,
  type Place,
  type PlaceOptions,
} from './place.ts';
import { integerBelow, MAX_SEED, seededRandom } from './seeded-random.ts';
import { SimulatedMaster } from './simulated-master.ts';
import { SimulatedWorker } from './simulated-worker.ts';
import { sleep } from './sleep.ts';
import { VirtualClock, type VirtualProcess } from './virtual-clock.ts';
import type { WireObserver } from './virtual-link.ts';
import { type Servers, VirtualNetwork } from './virtual-network.ts';

/** Options of a {@link Simulation}. */
export interface SimulationOptions extends LineOptions {
  /** From what all chance is drawn, an integer from 0 to 134217727: the same seed, the same course. @defaultValue 1 */
  readonly seed?: number | undefined;
}

/** How long to wait for a promise. */
export interface UntilOptions {
  /** After how many milliseconds of virtual time it is given up, ≥ 0. @defaultValue 3600000: an hour */
  readonly within?: number | undefined;
}

const defaults = Object.freeze({ seed: 1, within: 3_600_000 });

const SECRET_RADIX = 36;

interface Stoppable {
  readonly isAlive: boolean;
  stop(): Promise<void>;
}

/**
 * Real masters, schedulers and workers in a world that this program moves: time goes by only in {@link run} and {@link until}
 * (and {@link stop}), and nothing leaves this process. What happens is decided by the seed and the program alone.
 */
export class Simulation {
  /** The time of this world. */
  readonly clock = new VirtualClock();
  /** Chance for the program: numbers from 0 to 1, the same for the same seed. */
  readonly random: Random;
  readonly #seeds: Random;
  readonly #line: Line;
  readonly #servers: Servers = new Map();
  readonly #observer: WireObserver | undefined;
  readonly #masters: Stoppable[] = [];
  readonly #workers: Stoppable[] = [];
  readonly #networks: VirtualNetwork[] = [];
  /** The processes of schedulers, which are those of their masters. */
  readonly #processes = new WeakMap<object, VirtualProcess>();

  /**
   * `observer` sees all frames; for tests of the library itself.
   * @throws InvalidOptionError
   */
  constructor(options: SimulationOptions = {}, observer?: WireObserver) {
    expectObject('options', options);
    expectKnown('Simulation', options, ['seed', 'latency', 'jitter']);
    const { seed = defaults.seed, ...line } = options;
    expectInteger('seed', seed, 0, MAX_SEED);
    this.#line = checkLine(line, lineDefaults);
    this.random = seededRandom(seed);
    // Apart, so that what the program draws changes nothing of what the others do.
    this.#seeds = seededRandom(seed ^ 0x5_eed5);
    this.#observer = observer;
  }

  /** A scheduler whose master is yet to be made. @throws InvalidOptionError */
  scheduler<T, R>(options: FifoSchedulerOptions = {}): FifoScheduler<T, R> {
    const process = this.clock.createProcess();
    const scheduler = new FifoScheduler<T, R>(options, { clock: process, random: seededRandom(this.#drawSeed()) });
    this.#processes.set(scheduler, process);
    return scheduler;
  }

  /**
   * A master of that scheduler, of this simulation or your own, which is started at once. It takes all options but `server`.
   * @throws InvalidOptionError
   */
  master<T, R>(scheduler: TaskScheduler<T, R>, options: MasterOptions = {}): SimulatedMaster<T, R> {
    expectObject('options', options);
    // Before anything is made: what a listener throws, only whoever awaits its start would hear.
    if (options.server !== undefined) refuse('server', 'absent in a simulation', options.server);
    const network = this.#createNetwork(this.#line);
    const secrets = seededRandom(this.#drawSeed());
    const world = {
      process: this.#processes.get(scheduler) ?? this.clock.createProcess(),
      network,
      servers: this.#servers,
      links: () => this.#networks.flatMap(({ openLinks }) => openLinks),
      secret: () => [secrets(), secrets()].map((number) => number.toString(SECRET_RADIX).slice(2)).join(''),
    };
    const master = new SimulatedMaster(scheduler, options, world);
    this.#masters.push(master);
    void master.start();
    return master;
  }

  /**
   * A worker with that handler, which is started at once, in a process of its own, at this place: at the end of a line of its own,
   * and with an address of its own, unless something else is said. @throws InvalidOptionError
   */
  worker<T, R>(
    handler: TaskHandler<T, R> | TaskFunction<T, R>,
    options: WorkerOptions<T> = {},
    place: PlaceOptions = {},
  ): SimulatedWorker<T, R> {
    const number = this.#workers.length + 1;
    const at = checkPlace(place, this.#line, number);
    const world = {
      process: this.clock.createProcess(),
      network: this.#createNetwork(at, at),
      seed: this.#drawSeed(),
      name: `worker ${number}`,
      address: at.address,
    };
    const worker = new SimulatedWorker(handler, options, world);
    this.#workers.push(worker);
    void worker.start();
    return worker;
  }

  /**
   * Resolves after so many milliseconds of virtual time; rejects with the signal's reason when that aborts. In a handler, that
   * of the {@link SimulatedWorker} knows besides when its process stands still. Can be handed on as it is.
   * @throws InvalidOptionError, as a rejection
   */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleep(this.clock, ms, signal);

  /**
   * Lets so many milliseconds ≥ 0 go by, with all that happens in them; 0: what can happen now.
   * @throws InvalidOptionError, as a rejection
   */
  async run(ms: number): Promise<void> {
    expectMilliseconds('ms', ms, 0, false);
    await this.clock.advance(ms);
  }

  /**
   * Lets time go by until the promise settles, and settles as it does. Throws if it does not `within` that time.
   * @throws InvalidOptionError, as a rejection
   */
  async until<Value>(promise: PromiseLike<Value>, options: UntilOptions = {}): Promise<Value> {
    if (!isPromiseLike(promise)) refuse('promise', 'a promise', promise);
    expectObject('options', options);
    expectKnown('until', options, ['within']);
    const { within = defaults.within } = options;
    expectMilliseconds('within', within, 0, false);
    let isSettled = false;
    const settled = Promise.resolve(promise);
    const note = (): void => {
      isSettled = true;
    };
    settled.then(note, note);
    await this.clock.advanceUntil(() => isSettled, 'the promise settles', within);
    return settled;
  }

  /** Stops all workers, and then all masters, that have not crashed. */
  async stop(): Promise<void> {
    // One after the other as in life: a worker's goodbye is for a master that listens.
    for (const all of [this.#workers, this.#masters]) {
      const alive = all.filter(({ isAlive }) => isAlive);
      await this.until(Promise.all(alive.map((each) => each.stop())));
    }
  }

  /** As {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #createNetwork({ latency, jitter }: Line, place?: Place): VirtualNetwork {
    const network = new VirtualNetwork({
      latencyMs: latency,
      jitterMs: jitter,
      random: seededRandom(this.#drawSeed()),
      servers: this.#servers,
      ...(place === undefined ? {} : { place }),
      isRecording: false,
      observer: this.#observer,
    });
    this.#networks.push(network);
    return network;
  }

  #drawSeed(): number {
    return integerBelow(this.#seeds, 2 ** 31);
  }
}
