// The shape of bench/results.json, and how one run is merged into it.

/** All that was measured, by the latest run of each part. */
export interface Results {
  readonly machine: Machine;
  /** When the latest run ended, as an ISO date. */
  readonly date: string;
  readonly parts: Readonly<Record<string, PartResult>>;
}

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

export interface PartResult {
  readonly title: string;
  /** When this part was measured, as an ISO date; others may be older. */
  readonly date: string;
  readonly rounds: number;
  /** Fewer tasks and rounds than the figures deserve. */
  readonly isQuick: boolean;
  readonly rows: readonly Row[];
  readonly series: Series;
}

/** One line of the table. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** The median of the rounds. */
  readonly value: number;
  /** E.g. `tasks/s`, `µs`, `bytes`. */
  readonly unit: string;
  /** What it is compared to. */
  readonly against?: string;
  /** The median of that. */
  readonly againstValue?: number;
  /** The median of the rounds' ratios: `value` of a round by `againstValue` of the same round. */
  readonly ratio?: number;
  /** The smallest and the largest, of the rounds' ratios where there is a ratio, else of the values. */
  readonly spread?: readonly [number, number];
  /** What is to be reached: by the ratio where there is one, else by the value. Absent: the row only reports. */
  readonly target?: Target;
  readonly met?: boolean;
  /** What a reader needs to know to judge the figure. */
  readonly note?: string;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

/**
 * Raw figures, for plots: under a name, points that all have the same fields. Where rounds are compared, a point is one
 * contender in one round: `{ round, rate, … }`. A curve has its abscissa as a field, e.g. `{ round, backlog, rate }`.
 */
export type Series = Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;

/** What was known before, with what this run has measured in its place. */
export function mergeResults(
  before: Results | undefined,
  machine: Machine,
  date: string,
  parts: Results['parts'],
): Results {
  return { machine, date, parts: { ...before?.parts, ...parts } };
}

/** Undefined where the text is not one of ours: a broken file is written anew. */
export function parseResults(text: string): Results | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isResults(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Only looks at the outermost shape, as nobody but the bench writes the file. */
function isResults(value: unknown): value is Results {
  return (
    typeof value === 'object' &&
    value !== null &&
    'machine' in value &&
    'parts' in value &&
    typeof value.parts === 'object' &&
    value.parts !== null
  );
}
