// A map over tasks: its options, and the stream of its results.
import { InvalidOptionError } from '../errors.ts';
import { expectInteger, expectKnown, expectObject, expectSignal, refuse } from '../options.ts';
import { expectInputs, InputSource, type MapInputs } from './map-inputs.ts';
import { type MapFailure, type MapResult, MapStream } from './map-stream.ts';
import type { PutOptions } from './scheduler-options.ts';
import { taskOptionNames } from './task-options.ts';

/** What becomes of a task of a map that fails: it ends the map, or is one of its results. */
export type MapFailures = 'throw' | 'yield';

/** Options of a map. All that `put` knows besides holds for each of its tasks. */
export interface MapOptions<Failures extends MapFailures = MapFailures>
  extends Omit<PutOptions, 'signal' | 'idempotencyKey'> {
  /** Whether results come in the order of their inputs; otherwise, as they come in. @defaultValue true */
  readonly ordered?: boolean | undefined;
  /**
   * How many inputs may be, at most, between being taken from the iterable and being handed to you with their results,
   * an integer ≥ 1. More keep more workers busy, and cost memory. @defaultValue 1024
   */
  readonly window?: number | undefined;
  /**
   * `'throw'`: the first task that fails ends the map with its error, when it is its turn: if ordered, after the results
   * of all tasks before it. What is outstanding then is cancelled. `'yield'`: it is handed over as a
   * {@link MapFailure}, and the map goes on; only that the master was stopped ends it all the same. @defaultValue 'throw'
   */
  readonly failures?: Failures | undefined;
  /** Ends the map at once: what is outstanding is cancelled, and the map throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a map hands over, given what becomes of its failures. */
export type MapItem<T, R, Failures extends MapFailures> =
  | MapResult<T, R>
  | (Failures extends 'yield' ? MapFailure<T> : never);

/** What is asked for all tasks of a map. */
export type MappedPutOptions = Omit<PutOptions, 'signal' | 'idempotencyKey'> & { readonly signal: AbortSignal };

const defaults = Object.freeze({ ordered: true, window: 1024, failures: 'throw' });

const mapOptionNames = [...Object.keys(defaults), ...taskOptionNames];

/**
 * Puts every input, and hands over the results as a stream, for `for await`.
 *
 * Inputs are taken one by one, from the first `next()` on, and only while no more than `window` of them are without a
 * result that was handed over: a million take no more memory than a few, however slow the one who reads, and however
 * long the first task takes. An input that lets wait does not hold back results that are there.
 *
 * To `break` out of the loop, or to call `return()`, cancels what is outstanding and closes the inputs, and waits for
 * them; but a generator that awaits something is closed when that has come, and not waited for. An error of the inputs
 * ends the stream at once, with that error, as the signal does with its reason. `next()` may be called ahead, as often as you like.
 *
 * `prepare` gives what puts a task, once it is known what is asked for all of them; it throws for what cannot be asked,
 * so that it is found now, and not with the first task.
 * @throws InvalidOptionError
 */
export function mapTasks<T, R, Failures extends MapFailures = 'throw'>(
  prepare: (options: MappedPutOptions) => (task: T) => Promise<R>,
  inputs: MapInputs<T>,
  options?: MapOptions<Failures>,
): AsyncIterableIterator<MapItem<T, R, Failures>, undefined, undefined>;
export function mapTasks<T, R>(
  prepare: (options: MappedPutOptions) => (task: T) => Promise<R>,
  inputs: MapInputs<T>,
  options: MapOptions & { readonly idempotencyKey?: undefined } = {},
): AsyncIterableIterator<MapResult<T, R> | MapFailure<T>, undefined, undefined> {
  expectInputs('inputs', inputs);
  expectObject('options', options);
  const {
    ordered = defaults.ordered,
    window = defaults.window,
    failures = defaults.failures,
    signal,
    idempotencyKey,
    ...rest
  } = options;
  if (idempotencyKey !== undefined) {
    throw new InvalidOptionError('Unknown option `idempotencyKey` for map: it would make one task of all');
  }
  expectKnown('map', rest, mapOptionNames);
  if (typeof ordered !== 'boolean') refuse('ordered', 'true or false', ordered);
  expectInteger('window', window, 1);
  if (failures !== 'throw' && failures !== 'yield') refuse('failures', "'throw' or 'yield'", failures);
  if (signal !== undefined) expectSignal('signal', signal);
  const controller = new AbortController();
  const put = prepare({ ...rest, signal: controller.signal });
  const cancel = (reason?: unknown): void => controller.abort(reason);
  return new MapStream(put, cancel, new InputSource(inputs), { ordered, window, failures, signal });
}
