// A whole cluster in one test: the real scheduler, sessions and workers, on virtual time and sockets.
import { Emitter } from '../../src/events.ts';
import type { TaskFunction, TaskHandler } from '../../src/handler.ts';
import { type MasterEvent, masterEventTypes, type WorkerInfo } from '../../src/master/events.ts';
import type { SessionLimits, Sessions } from '../../src/master/sessions.ts';
import type { FifoSchedulerOptions } from '../../src/scheduling/scheduler-options.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../src/testing/virtual-environment.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import type { WorkerOptions } from '../../src/worker/options.ts';
import { Worker } from '../../src/worker/worker.ts';
import { TestScheduler } from './scheduler.ts';
import { createSessions } from './sessions.ts';

/** A master, and as many workers as a test adds. */
export class VirtualCluster<T, R> {
  readonly clock = new VirtualClock();
  readonly events = new Emitter<MasterEvent<T>>(masterEventTypes);
  readonly scheduler: TestScheduler<T, R>;
  readonly sessions: Sessions<T, R>;
  readonly workers: Worker<T, R>[] = [];

  constructor(options: FifoSchedulerOptions = {}, limits: Partial<SessionLimits> = {}) {
    this.scheduler = new TestScheduler<T, R>(options, this.clock);
    this.sessions = createSessions(this.scheduler, this.clock, limits, this.events);
    this.scheduler.open();
  }

  /** A worker at the end of a line of its own, whose packets take this long each way; it is about to connect. */
  add(handler: TaskHandler<T, R> | TaskFunction<T, R>, options: WorkerOptions<T> = {}, latencyMs = 5): VirtualNetwork {
    const { clock } = this;
    const network = new VirtualNetwork({ latencyMs });
    network.listen(clock, (adopt) => this.sessions.accept(adopt));
    const name = `worker ${this.workers.length + 1}`;
    const worker = new Worker<T, R>(handler, { name, ...options }, virtualEnvironment({ clock, network }));
    this.workers.push(worker);
    void worker.start();
    return network;
  }

  /** What the master knows of the only worker. @throws if there is none */
  get worker(): WorkerInfo {
    const [worker] = this.sessions.list();
    if (worker === undefined) throw new Error('Nobody is connected');
    return worker;
  }

  /** Ends all, within a minute; aborts what still runs. */
  async stop(): Promise<void> {
    const isOver = Promise.all([...this.workers.map((each) => each.stop()), this.sessions.endAll(1001, 'The end')]);
    await this.clock.advance(60_000);
    await isOver;
  }
}
