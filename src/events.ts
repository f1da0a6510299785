// Typed events: a tagged union of events, and who listens to which.
import { type Dropped, EventStream } from './event-stream.ts';
import { expectInteger, expectKnown, expectObject, expectSignal, refuse } from './options.ts';

export type { Dropped } from './event-stream.ts';

/** The member of a union of events that has this type. */
export type EventOf<Event extends { readonly type: string }, Type extends Event['type']> = Extract<
  Event,
  { readonly type: Type }
>;

function isOf<Event extends { readonly type: string }, Type extends Event['type']>(
  event: Event,
  type: Type,
): event is EventOf<Event, Type> {
  return event.type === type;
}

/** Calls a listener. As with EventTarget, its mistake is thrown outside, and does not reach whoever had to tell it. */
export function callListener<Values extends readonly unknown[]>(
  listener: (...values: Values) => void,
  ...values: Values
): void {
  try {
    listener(...values);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Options of a stream of events. */
export interface StreamOptions<Type extends string> {
  /** Which types of event are wanted. @defaultValue all */
  readonly types?: readonly Type[] | undefined;
  /** Ends the stream when it aborts: quietly, and without the events that were not taken yet. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many events are held until they are taken, an integer ≥ 1. When there are more, the oldest are dropped, and a
   * {@link Dropped} in their place says how many. @defaultValue 1000
   */
  readonly limit?: number | undefined;
}

const defaults = Object.freeze({ limit: 1000 });

const streamOptionNames = ['types', 'signal', 'limit'];

function expectStreamOptions(options: StreamOptions<string>, known: readonly string[]): void {
  expectObject('options', options);
  expectKnown('stream', options, streamOptionNames);
  const { types, signal, limit } = options;
  if (types !== undefined) {
    if (!Array.isArray(types)) refuse('types', 'an array of strings', types);
    for (const type of types) expectType(type, known);
  }
  if (signal !== undefined) expectSignal('signal', signal);
  if (limit !== undefined) expectInteger('limit', limit, 1);
}

/** Refuses a name that no event has, so that a misspelt one is not waited for in vain. */
function expectType(type: string, known: readonly string[]): void {
  if (!known.includes(type)) refuse('type', `one of ${known.join(', ')}`, type);
}

/** An open stream, as the emitter sees it. */
interface Subscription<Event> {
  /** All, if undefined. */
  readonly types: ReadonlySet<string> | undefined;
  readonly push: (event: Event) => void;
  readonly end: () => void;
}

/** Listeners by event type, and streams. An event is an object with a `type`. */
export class Emitter<Event extends { readonly type: string }> {
  readonly #listeners = new Map<string, Set<(event: Event) => void>>();
  readonly #streams = new Set<Subscription<Event>>();
  readonly #types: readonly string[];

  /** `types`: all that there are, each once. */
  constructor(types: Readonly<Record<Event['type'], true>>) {
    this.#types = Object.keys(types);
  }

  /**
   * Calls `listener` on every event of that type, until the returned function is called.
   * @throws InvalidOptionError
   */
  on<Type extends Event['type']>(type: Type, listener: (event: EventOf<Event, Type>) => void): () => void {
    expectType(type, this.#types);
    if (typeof listener !== 'function') refuse('listener', 'a function', listener);
    // A closure of its own per call: the same function may be subscribed twice.
    const subscription = (event: Event): void => {
      if (isOf(event, type)) listener(event);
    };
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, new Set([subscription]));
    else listeners.add(subscription);
    return () => {
      this.#listeners.get(type)?.delete(subscription);
    };
  }

  /**
   * The events from now on, as they come. Ends when its loop is left, when `signal` aborts, or when the emitter ends its
   * streams; one that is not looped over should be ended by `signal`, or `return()`. @throws InvalidOptionError
   */
  stream<Type extends Event['type'] = Event['type']>(
    options: StreamOptions<Type> = {},
  ): AsyncIterableIterator<EventOf<Event, Type> | Dropped> {
    expectStreamOptions(options, this.#types);
    const { signal, limit = defaults.limit } = options;
    const types = options.types === undefined ? undefined : new Set<string>(options.types);
    const isWanted = (event: Event): event is EventOf<Event, Type> => types === undefined || types.has(event.type);
    const stream = new EventStream<EventOf<Event, Type>>({
      limit,
      signal,
      onEnd: () => this.#streams.delete(subscription),
    });
    const subscription: Subscription<Event> = {
      types,
      push(event) {
        if (isWanted(event)) stream.push(event);
      },
      end: () => stream.end(),
    };
    if (signal?.aborted) stream.end();
    else this.#streams.add(subscription);
    return stream;
  }

  /** Ends all open streams, once what they hold was taken. Later ones work again. */
  end(): void {
    for (const { end } of this.#streams) end();
  }

  /** Whether anybody listens; lets a busy path skip making the event. */
  hears(type: Event['type']): boolean {
    if ((this.#listeners.get(type)?.size ?? 0) > 0) return true;
    // Asked several times for each task, and mostly there is none: an iterator would be made each time.
    if (this.#streams.size === 0) return false;
    for (const { types } of this.#streams) if (types === undefined || types.has(type)) return true;
    return false;
  }

  /** Tells everybody who listens. */
  emit(event: Event): void {
    // Before the listeners: one that emits an event would have streams get it before its cause.
    for (const { push } of this.#streams) push(event);
    const listeners = this.#listeners.get(event.type);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      // One before it may have unsubscribed it.
      if (listeners.has(listener)) callListener(listener, event);
    }
  }
}
