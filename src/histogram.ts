// How long things took: a histogram of durations in little, fixed memory.

/** How durations are distributed, all of them in milliseconds. Without any, all fields are 0. */
export interface DurationSummary {
  /** How many durations were recorded. */
  readonly count: number;
  /** Their arithmetic mean, exact up to rounding. */
  readonly mean: number;
  /** The shortest, exact. */
  readonly min: number;
  /** The longest, exact. */
  readonly max: number;
  /** The median: half of the durations are at most this. Off by at most 5 %, from a microsecond to three weeks. */
  readonly p50: number;
  /** Nine in ten are at most this; as exact as `p50`. */
  readonly p90: number;
  /** Ninety-nine in a hundred are at most this; as exact as `p50`. */
  readonly p99: number;
}

/**
 * The leading bits of a 64-bit float: its exponent, which says the power of two that it is not below, and so many bits
 * of its mantissa, which divide the way to the next power evenly.
 */
const MANTISSA_BITS = 4;
const PARTS = 2 ** MANTISSA_BITS;
/** How many bits of the float's upper half are behind those. */
const SHIFT = 20 - MANTISSA_BITS;
/** What the exponent of 1 is written as. */
const EXPONENT_BIAS = 1023;

/** Reads a float as bits. */
const float = new DataView(new ArrayBuffer(8));

/** Counts buckets from that of 0. */
function absoluteBucketOf(value: number): number {
  float.setFloat64(0, value);
  return float.getUint32(0) >>> SHIFT;
}

/** The least value of a bucket. */
function startOf(absoluteBucket: number): number {
  const power = 2 ** ((absoluteBucket >>> MANTISSA_BITS) - EXPONENT_BIAS);
  return power * (1 + (absoluteBucket % PARTS) / PARTS);
}

/** What is shorter, 0 included, shares one bucket: a little less than a microsecond. */
const SHORTEST_MS = 2 ** -10;
/** What is longer shares the last bucket: almost 25 days. */
const LONGEST_MS = 2 ** 31;

/** Of the bucket of all that is shorter than {@link SHORTEST_MS}. */
const FIRST = absoluteBucketOf(SHORTEST_MS) - 1;
/** Of the bucket of all that is not shorter than {@link LONGEST_MS}. */
const LAST = absoluteBucketOf(LONGEST_MS);

/**
 * Records durations in buckets whose width grows with the durations: each power of two is divided into 16 equal parts,
 * the log-linear bucketing of HdrHistogram (Gil Tene, https://hdrhistogram.org). A bucket is at most 1/16 as wide as
 * its values are large, so that its middle is off by at most 1/32 of them. 658 counters, 5 kB, are made with the first
 * duration; recording makes nothing.
 */
export class Histogram {
  /** Floats, as 32 bits would overflow within hours. */
  #counts: Float64Array | undefined = undefined;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Records a duration in milliseconds: 0 if it is negative, nothing if it is no finite number. */
  record(ms: number): void {
    if (!Number.isFinite(ms)) return;
    const value = Math.max(0, ms);
    this.#counts ??= new Float64Array(LAST - FIRST + 1);
    const bucket = Math.min(Math.max(absoluteBucketOf(value), FIRST), LAST) - FIRST;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** What was recorded so far. */
  summary(): DurationSummary {
    if (this.#count === 0) return { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };
    return {
      count: this.#count,
      mean: this.#clamp(this.#sum / this.#count),
      min: this.#min,
      max: this.#max,
      p50: this.#percentile(50),
      p90: this.#percentile(90),
      p99: this.#percentile(99),
    };
  }

  /** The middle of the first bucket up to whose end there are so many per cent of the durations. */
  #percentile(percent: number): number {
    const rank = Math.ceil((this.#count * percent) / 100);
    let bucket = FIRST;
    let seen = 0;
    for (const count of this.#counts ?? []) {
      seen += count;
      if (seen >= rank) break;
      bucket += 1;
    }
    return this.#clamp(middleOf(bucket));
  }

  /** What was not recorded is not told, be it the middle of a bucket, or a mean that was rounded. */
  #clamp(ms: number): number {
    return Math.min(Math.max(ms, this.#min), this.#max);
  }
}

/** The outermost buckets have no middle: the one begins at 0, the other ends nowhere. */
function middleOf(absoluteBucket: number): number {
  if (absoluteBucket === FIRST) return 0;
  if (absoluteBucket === LAST) return Number.POSITIVE_INFINITY;
  return (startOf(absoluteBucket) + startOf(absoluteBucket + 1)) / 2;
}
