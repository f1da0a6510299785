// What the page shows to the tests.
import type { Worker, WorkerEvent } from 'taskdist';
import type { FaultTask } from './task.ts';

/** What a page lends, as its address says. */
export interface PageOptions {
  /** 0: tasks run in the page itself. */
  readonly threads?: number;
  readonly grace?: number;
  readonly concurrency?: number;
  /** How long the page waits before it connects again. */
  readonly reconnect?: { readonly base: number; readonly cap: number };
  readonly connectTimeout?: number;
}

export interface Lending {
  readonly worker: Worker<FaultTask, unknown>;
  /** What the worker told, in order. */
  readonly events: WorkerEvent<FaultTask>[];
  /** How many threads were started. */
  threads: number;
  /** `pagehide` and `pageshow`, once the page had been loaded, and whether the page was kept. */
  readonly transitions: string[];
  /** When the page's timer rang. */
  readonly ticks: number[];
  openGate(gate: string): void;
  /** Sets a timer, again and again. */
  startTicking(intervalMs: number): void;
}

declare global {
  interface Window {
    lending: Lending;
  }
}
