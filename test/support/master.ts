// A master without a server: the real sessions and scheduler, on a virtual clock and network.
import { Emitter } from '../../src/events.ts';
import { type MasterEvent, masterEventTypes } from '../../src/master/events.ts';
import { Guest, type GuestBook } from '../../src/master/guest.ts';
import type { SessionLimits, Sessions } from '../../src/master/sessions.ts';
import { codecs } from '../../src/protocol/codec.ts';
import type { FifoSchedulerOptions } from '../../src/scheduling/scheduler-options.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { WorkerPeer } from './peers.ts';
import { TestScheduler } from './scheduler.ts';
import { createSessions } from './sessions.ts';

const eventTypes = [
  'workerConnected',
  'workerDisconnected',
  'workerInterrupted',
  'workerResumed',
  'connectionRefused',
  'attemptStarted',
  'progress',
  'leaseRecalled',
  'attemptEnded',
] as const;

/** Of a door that counts nobody. */
const noBook: GuestBook = { greeted() {}, ended() {}, left() {} };

/** What a test of sessions starts with. Packets take no time, so that times are round numbers. */
export class VirtualMaster<T = unknown, R = unknown> {
  readonly clock = new VirtualClock(0);
  readonly network = new VirtualNetwork({ latencyMs: 0 });
  readonly scheduler: TestScheduler<T, R>;
  readonly sessions: Sessions<T, R>;
  /** All events so far. */
  readonly events: MasterEvent<T>[] = [];
  /** What to do when one comes. */
  onEvent: (event: MasterEvent<T>) => void = () => {};
  /** From where those come who connect from now on; undefined: no door has asked. */
  address: string | undefined = undefined;

  constructor(limits: Partial<SessionLimits> = {}, options: FifoSchedulerOptions = {}) {
    this.scheduler = new TestScheduler<T, R>({ unmatchedAfter: Number.POSITIVE_INFINITY, ...options }, this.clock);
    this.scheduler.open();
    const emitter = new Emitter<MasterEvent<T>>(masterEventTypes);
    for (const type of eventTypes) {
      emitter.on(type, (event) => {
        this.events.push(event);
        this.onEvent(event);
      });
    }
    this.sessions = createSessions<T, R>(
      this.scheduler,
      this.clock,
      { taskTimeoutMs: 1000, socketTimeoutMs: 3000, helloTimeoutMs: 500, maxFrameBytes: 100_000, ...limits },
      emitter,
    );
    this.network.listen(this.clock, (adopt) => this.sessions.accept(adopt, this.#guest()));
  }

  /** Connects a worker by hand, which has said nothing yet. */
  async connect(subprotocols: readonly string[] = [codecs.msgpack.subprotocol]): Promise<WorkerPeer> {
    const peer = new WorkerPeer(this.network, this.clock, subprotocols);
    await this.clock.settle();
    return peer;
  }

  #guest(): Guest | undefined {
    const { address } = this;
    return address === undefined ? undefined : new Guest(noBook, { address, headers: {}, url: '/' }, address);
  }

  /** How attempts ended: outcome and duration. */
  get attempts(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'attemptEnded' ? [`${event.outcome} ${event.durationMs}`] : [],
    );
  }
}
