// Typed events: a tagged union of events, and who listens to which.

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

/** Listeners by event type. An event is an object with a `type`. */
export class Emitter<Event extends { readonly type: string }> {
  readonly #listeners = new Map<string, Set<(event: Event) => void>>();

  /** Calls `listener` on every event of that type, until the returned function is called. */
  on<Type extends Event['type']>(type: Type, listener: (event: EventOf<Event, Type>) => void): () => void {
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

  /** Whether anybody listens; lets a busy path skip making the event. */
  hears(type: Event['type']): boolean {
    return (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  /** Tells everybody who listens. */
  emit(event: Event): void {
    const listeners = this.#listeners.get(event.type);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        // As with EventTarget: a listener's mistake is reported, and does not reach whoever emitted.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
