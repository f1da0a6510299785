// What must hold at every moment of a simulated cluster; each throws where it does not.
import type { WorkerInfo } from '../../src/master/events.ts';
import type { Lease, TaskScheduler } from '../../src/scheduling/scheduler.ts';
import type { ProgressInfo } from '../../src/scheduling/task-options.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { MAX_CONCURRENCY, type Member } from './simulated-member.ts';

/** At most one lease of a task is live, or two if one of them is a second attempt; and nobody is leased more than it asked for. */
export function auditLeases<T, R>(scheduler: TaskScheduler<T, R>): void {
  const liveLeases = new Map<string, Lease<T>[]>();
  /** How many the holders have asked for, by their ids. */
  const wanted = new Map<string, number>();
  const take = scheduler.take.bind(scheduler);
  const loadChanged = scheduler.loadChanged.bind(scheduler);
  scheduler.loadChanged = (holder, max) => {
    wanted.set(holder.id, max);
    loadChanged(holder, max);
  };
  scheduler.take = async (holder, asked, signal) => {
    wanted.set(holder.id, asked);
    const leases = await take(holder, asked, signal);
    const max = Math.max(asked, wanted.get(holder.id) ?? 0);
    if (leases.length > max) throw new Error(`${holder.name} was leased ${leases.length} tasks rather than ${max}`);
    for (const lease of leases) {
      const before = liveLeases.get(lease.key) ?? [];
      const live = [...before, lease].filter(({ isLive }) => isLive);
      liveLeases.set(lease.key, live);
      const second = live.filter(({ isSpeculative }) => isSpeculative).length;
      if (live.length > (second > 0 ? 2 : 1)) throw new Error(`${live.length} live leases of ${lease.key}`);
    }
    return leases;
  };
}

/** No worker holds more leases than it can have asked for. */
export function checkCredit(infos: readonly WorkerInfo[], members: readonly Member[]): void {
  for (const { name, running, waiting } of infos) {
    const prefetch = members.find((member) => member.name === name)?.prefetch;
    if (typeof prefetch !== 'number' || running + waiting <= MAX_CONCURRENCY + prefetch) continue;
    throw new Error(`${name} holds ${running + waiting} leases, with a prefetch of ${prefetch}`);
  }
}

/** A worker starts no task when as many run as may. */
export function auditConcurrency<T, R>(worker: Worker<T, R>): void {
  let running = 0;
  const isRunning = new Set<string>();
  worker.on('taskStarted', ({ key, attempt }) => {
    running += 1;
    isRunning.add(`${key}/${attempt}`);
    if (running > worker.concurrency) throw new Error(`${running} tasks run rather than ${worker.concurrency}`);
  });
  worker.on('taskSettled', ({ key, attempt }) => {
    if (isRunning.delete(`${key}/${attempt}`)) running -= 1;
  });
}

/** What an attempt tells comes in its order, and nothing comes once the task is settled. */
export function auditProgress(isSettled: () => boolean): (value: unknown, progress: ProgressInfo) => void {
  const last = new Map<string, unknown>();
  return (value, { key, attempt, worker }) => {
    const name = `${key}/${attempt} at ${worker}`;
    if (isSettled()) throw new Error(`Progress of ${name}, which is settled`);
    const before = last.get(name) ?? -1;
    last.set(name, value);
    // It starts anew where the same attempt was given back, and came again.
    if (value !== 0 && value !== Number(before) + 1) throw new Error(`${value} after ${before} of ${name}`);
  };
}
