// A page that can be left and come back to.
import type { PageListener } from '../ports.ts';

/** The page that a simulated worker lives in. */
export class VirtualPage {
  readonly #listeners = new Set<PageListener>();

  readonly watch = (listener: PageListener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** How many watch it: 0 when every worker has stopped. */
  get watchers(): number {
    return this.#listeners.size;
  }

  hide(): void {
    for (const listener of [...this.#listeners]) listener.hidden();
  }

  show(): void {
    for (const listener of [...this.#listeners]) listener.shown();
  }

  comeOnline(): void {
    for (const listener of [...this.#listeners]) listener.online();
  }
}
