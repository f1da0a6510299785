// What the harness and its parts know of each other.
import type { Child, ChildOptions } from './child.ts';
import type { Row, Series } from './results.ts';

/** What has to be on the machine for all of a part to be measured. `scripts/bench.mjs` finds or installs it. */
export type Requirement = 'redis' | 'chromium';

/** One part of the bench: a question, who is measured to answer it, and what the answer should be. */
export interface Part {
  /** How it is asked for on the command line, and found in the results. */
  readonly name: string;
  readonly title: string;
  readonly requires?: readonly Requirement[];
  /** Measures, and says what came of it. Processes that it starts through the bench end with it, whatever happens. */
  run(bench: Bench): Promise<PartFindings>;
}

export interface PartFindings {
  /** How many rounds there were, if not as many as the bench was asked for. */
  readonly rounds?: number;
  readonly rows: readonly Row[];
  readonly series: Series;
}

/** What a part measures with. */
export interface Bench {
  /** How many rounds count. */
  readonly rounds: number;
  /** A fast look was asked for: the figures need not be good. */
  readonly isQuick: boolean;
  /** Where the Redis server's program is; absent: there is none. */
  readonly redis: string | undefined;
  /** Where a Chromium is; absent: there is none. */
  readonly chromium: string | undefined;
  /**
   * Starts one of `processes/`, and waits until it can be called.
   *
   * @param name of the file, without its extension
   */
  start<Calls extends object>(name: string, options?: ChildOptions): Promise<Child<Calls>>;
  /** Tells whoever waits how far things are. */
  progress(text: string): void;
}
