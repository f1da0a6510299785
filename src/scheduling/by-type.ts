// What is known of tasks by their type, for so many types.

/** Types of which it is kept; any further ones are taken together. */
const MAX_TYPES = 256;

/** A map by type that does not grow with what tasks call themselves. */
export class ByType<Value> {
  readonly #values = new Map<string | undefined, Value>();

  get(type: string | undefined): Value | undefined {
    return this.#values.get(this.#kindOf(type));
  }

  set(type: string | undefined, value: Value): void {
    this.#values.set(this.#kindOf(type), value);
  }

  #kindOf(type: string | undefined): string | undefined {
    return this.#values.has(type) || this.#values.size < MAX_TYPES ? type : undefined;
  }
}
