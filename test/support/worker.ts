// A worker against a master by hand, on a virtual clock, network and page.
import type { TaskFunction, TaskHandler } from '../../src/handler.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../src/testing/virtual-environment.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { VirtualPage } from '../../src/testing/virtual-page.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { Worker } from '../../src/worker/worker.ts';
import { MasterPeer, welcomeOf } from './peers.ts';

const eventTypes = ['connecting', 'connected', 'taskStarted', 'taskSettled', 'disconnected', 'error'] as const;

/** What a test of the worker starts with. Packets take no time, so that times are round numbers. */
export class VirtualWorker<T = unknown, R = unknown> {
  readonly clock = new VirtualClock(0);
  readonly network = new VirtualNetwork({ latencyMs: 0 });
  readonly page = new VirtualPage();
  readonly master = new MasterPeer(this.network, this.clock);
  readonly worker: Worker<T, R>;
  /** All events so far. */
  readonly events: WorkerEvent<T>[] = [];

  constructor(handler: TaskHandler<T, R> | TaskFunction<T, R>, options: WorkerOptions<T> = {}) {
    const { clock, network, page } = this;
    // The longest waits there are, as chance is always just below 1.
    const environment = { ...virtualEnvironment({ clock, network, page }), random: () => 1 };
    this.worker = new Worker<T, R>(handler, options, environment);
    for (const type of eventTypes) this.worker.on(type, (event) => this.events.push(event));
  }

  /** Starts, and is welcomed. */
  async connect(): Promise<this> {
    void this.worker.start();
    await this.clock.settle();
    await this.welcome();
    return this;
  }

  /** Is welcomed on the connection made last. */
  async welcome(): Promise<void> {
    this.master.last.send(welcomeOf());
    await this.clock.settle();
    this.master.last.news();
  }

  /** The types of the events so far. */
  get eventTypes(): string[] {
    return this.events.map(({ type }) => type);
  }
}
