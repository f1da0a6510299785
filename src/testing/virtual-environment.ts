// The world of a worker in a simulation: time, chance, network and page.
import type { Clock, WorkerEnvironment } from '../ports.ts';
import { seededRandom } from './seeded-random.ts';
import type { VirtualNetwork } from './virtual-network.ts';
import { VirtualPage } from './virtual-page.ts';

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
