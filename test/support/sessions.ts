// The sessions of a master on virtual time, with limits that a test cares about, and secrets that can be foretold.
import type { Emitter } from '../../src/events.ts';
import type { MasterEvent } from '../../src/master/events.ts';
import { type SessionLimits, Sessions } from '../../src/master/sessions.ts';
import type { Clock } from '../../src/ports.ts';
import type { TaskScheduler } from '../../src/scheduling/scheduler.ts';

/** What a master has unless a test says otherwise; leases end with their connection. */
const usual: SessionLimits = {
  taskTimeoutMs: 600_000,
  socketTimeoutMs: 30_000,
  helloTimeoutMs: 1000,
  maxFrameBytes: 65_536,
  resumeWindowMs: 0,
};

export function createSessions<T, R>(
  scheduler: TaskScheduler<T, R>,
  clock: Clock,
  limits: Partial<SessionLimits>,
  events: Emitter<MasterEvent<T>>,
): Sessions<T, R> {
  let secrets = 0;
  const secret = (): string => {
    secrets += 1;
    return `secret ${secrets}`;
  };
  return new Sessions(scheduler, { clock, secret }, { ...usual, ...limits }, events);
}
