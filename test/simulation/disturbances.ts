// What can go wrong in a simulated cluster, or just happen.
import type { Random } from '../../src/ports.ts';
import { integerBelow, pick } from '../../src/testing/seeded-random.ts';
import { MAX_CONCURRENCY, type Member } from './simulated-member.ts';

/** What can be aborted. */
interface Abortable {
  readonly controller: AbortController;
}

type Disturbance = (member: Member, random: Random, puts: readonly Abortable[]) => void;

const disturbances: Readonly<Record<string, Disturbance>> = {
  reset: ({ network }) => network.links.at(-1)?.reset(),
  'drop both ways': ({ network }) => network.links.at(-1)?.drop(),
  'drop upwards': ({ network }) => network.links.at(-1)?.drop('up'),
  'stop the process': ({ process }) => process.stop(),
  'wake the process': ({ process }) => process.wake(),
  'hide the page': ({ page }) => page.hide(),
  'show the page': ({ page }) => page.show(),
  abort: (_member, random, puts) => pick(random, puts).controller.abort(),
  'set the concurrency': ({ worker }, random) => worker.setConcurrency(1 + integerBelow(random, MAX_CONCURRENCY)),
  pause({ worker }) {
    if (worker.isPaused) worker.resume();
    else worker.pause();
  },
  drain: ({ worker }, random) => void worker.drain({ grace: integerBelow(random, 3000) }),
  start: ({ worker }) => void worker.start(),
  'change the line': ({ network }, random) => {
    const link = network.links.at(-1);
    if (link !== undefined) link.latencyMs = 1 + integerBelow(random, 200);
  },
};

/** Does one of these to one of them; returns what. */
export function disturb(random: Random, members: readonly Member[], puts: readonly Abortable[]): string {
  const member = pick(random, members);
  const [name, happen] = pick(random, Object.entries(disturbances));
  happen(member, random, puts);
  return `${members.indexOf(member)}: ${name}`;
}
