// What the page is told about the cluster, once a second and soon after a change.

export interface ClusterSnapshot {
  /** When this run of the server began, in epoch milliseconds: counts of another run do not compare. */
  readonly startedAt: number;
  /** Those who are computing, the longest connected first. */
  readonly workers: readonly WorkerSnapshot[];
  /** How many tiles wait for a worker. */
  readonly queued: number;
  /** How many tiles this run of the server has had computed. */
  readonly done: number;
}

export interface WorkerSnapshot {
  readonly id: string;
  readonly name: string;
  /** `browser` or `node`, or what a client in another language calls itself. */
  readonly platform: string;
  readonly colour: string;
  /** How many tiles it computes at once; 0 while it is paused. */
  readonly concurrency: number;
  readonly running: number;
  /** How many tiles it has computed since it connected. */
  readonly done: number;
  /** Tiles per second, of late. */
  readonly rate: number;
}
