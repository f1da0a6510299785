// The world of a worker in a simulation: time, chance, network and page, all in the test's hands.
import type { Clock, PageListener, WorkerEnvironment } from '../../src/ports.ts';
import { seededRandom } from './random.ts';
import type { VirtualNetwork } from './virtual-socket.ts';

/** A page that a test can leave and come back to. */
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

/** What a {@link virtualEnvironment} is made of. */
export interface VirtualEnvironmentParts {
  readonly clock: Clock;
  readonly network: VirtualNetwork;
  /** @defaultValue 1 */
  readonly seed?: number;
  /** @defaultValue a page that nobody leaves */
  readonly page?: VirtualPage;
  /** @defaultValue 'virtual' */
  readonly name?: string;
}

/** The third parameter of a worker that lives in a simulation. */
export function virtualEnvironment(parts: VirtualEnvironmentParts): WorkerEnvironment {
  const { clock, network, seed = 1, page = new VirtualPage(), name = 'virtual' } = parts;
  return {
    clock,
    random: seededRandom(seed),
    connect: network.connectorOf(clock),
    watchPage: page.watch,
    platform: 'virtual',
    name,
  };
}
