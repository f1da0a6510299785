// Many workers in one process, whose tasks wait for a timer.
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import type { TimerTask } from './timer-task.ts';

/** Connections that are made at the same time: fewer than a listening socket keeps waiting. */
const AT_ONCE = 100;

const calls = {
  cpuMs,

  /** Resolves when so many workers are connected, each of which runs one task at a time. */
  async connect(port: number, workers: number): Promise<void> {
    for (let connected = 0; connected < workers; connected += AT_ONCE) {
      const length = Math.min(AT_ONCE, workers - connected);
      await Promise.all(Array.from({ length }, () => connectOne(port)));
    }
  },
};

function connectOne(port: number): Promise<void> {
  const handler = ({ waitMs, id }: TimerTask) => pause(waitMs, id);
  return new Worker<TimerTask, number>(handler, { url: `ws://127.0.0.1:${port}`, concurrency: 1 }).start();
}

export type TimerWorker = typeof calls;
serve(calls);
