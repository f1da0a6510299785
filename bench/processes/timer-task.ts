// A task that needs time, and none of the processor's.
export interface TimerTask {
  readonly type: 'timer';
  readonly waitMs: number;
  /** Comes back as the result. */
  readonly id: number;
}
