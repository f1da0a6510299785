// What the page is told about the cluster, once a second and soon after a change.

export interface ClusterSnapshot {
  /** When this run of the server began, in epoch milliseconds: counts of another run do not compare. */
  readonly startedAt: number;
  /** Those who are computing, the longest connected first. */
  readonly workers: readonly WorkerSnapshot[];
  /** How many tiles wait for a worker. */
  readonly queued: number;
  /** How many tiles wait at a worker, next in line there. */
  readonly prefetched: number;
  /** How many tiles are being computed. */
  readonly running: number;
  /** How many tiles this run of the server has had computed. */
  readonly done: number;
  /** How many tiles were taken back from a worker where they waited, for one that was idle. */
  readonly recalled: number;
  /** Answers per second, of late, of all who are there. */
  readonly rate: number;
  /** How long tiles waited until they were started, since this run of the server began. */
  readonly waitTime: Percentiles;
  /** How long they took to compute. */
  readonly runTime: Percentiles;
}

/** So many per cent of the durations were at most so long, in milliseconds. Null while there are none. */
export type Percentiles = { readonly p50: number; readonly p90: number; readonly p99: number } | null;

export interface WorkerSnapshot {
  readonly id: string;
  readonly name: string;
  /** `browser` or `node`, or what a client in another language calls itself. */
  readonly platform: string;
  readonly colour: string;
  /** Whether its connection is lost, and it may come back. */
  readonly isInterrupted: boolean;
  /** How many tiles it computes at once; 0 while it is paused. */
  readonly concurrency: number;
  readonly running: number;
  /** How many tiles it holds besides, next in line. */
  readonly waiting: number;
  /** How many tiles it has computed since it connected. */
  readonly done: number;
  /** How many tiles were taken back from it for others before it had started them. */
  readonly recalled: number;
  /** Answers per second, of late. */
  readonly rate: number;
  /** How long the way to it and back takes, in milliseconds; null until that was measured. */
  readonly roundTrip: number | null;
}
