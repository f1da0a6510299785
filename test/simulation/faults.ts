// What can befall a simulated cluster.

import { pick } from '../../src/testing/seeded-random.ts';
import type { Direction } from '../../src/testing/virtual-link.ts';
import { disturb } from './books/desk.ts';
import type { Fault } from './plan.ts';
import type { Member } from './views.ts';
import type { World } from './world.ts';

/** A worker that has lost its line is known to have by then, and has another one. */
const LINE_MS = 15_000;

/** How often the timers of a page in the background ring. */
const THROTTLED_GRAIN_MS = 1000;
/** What a worker waits for takes no longer: `socketTimeout` and `resumeWindow`. */
const LONGEST_TIMER_MS = 9000;

const STALLS_MS = [30, 200, 1000, 3000, 6000];

type Happen = (world: World, member: Member) => void;

const happenings: Readonly<Record<Fault, Happen>> = {
  disconnect(_world, member) {
    member.worker.disconnect();
  },
  'half open': (world, member) => lose(world, member, 'both'),
  'half open up': (world, member) => lose(world, member, 'up'),
  'half open down': (world, member) => lose(world, member, 'down'),
  'stall worker': (world, member) => world.stall(member, pick(world.random, STALLS_MS)),
  'stall master'(world) {
    const { reign } = world.referee;
    const ms = pick(world.random, STALLS_MS);
    reign.master.stall(ms);
    reign.steadySinceMs = Math.max(reign.steadySinceMs, world.clock.now() + ms);
  },
  sleep(world) {
    // The lid is closed: time leaps for all who are in the machine.
    world.clock.jump(world.integerBelow(10_000));
    world.referee.reign.steadySinceMs = Math.max(world.referee.reign.steadySinceMs, world.clock.now());
    for (const member of world.referee.members) {
      member.stalledUntilMs = Math.max(member.stalledUntilMs, world.clock.now());
      disturb(member, world.clock.now() + 2000);
    }
  },
  'crash worker'(world, member) {
    if (!member.isAlive) return;
    const index = world.referee.members.indexOf(member);
    world.crash(member);
    world.clock.setTimer(world.integerBelow(3000), () => world.hire(index, member.plan));
  },
  'crash master'(world) {
    if (world.referee.reign.state === 'crashed') return;
    world.crashMaster();
    world.clock.setTimer(world.integerBelow(2000), () => world.reign());
  },
  'restart master'(world) {
    endMaster(world, 'stopped', world.integerBelow(2) === 0);
  },
  'drain master'(world) {
    endMaster(world, 'draining', world.integerBelow(2) === 0);
  },
  'restart worker': (_world, member) =>
    within(member, ({ worker }) => {
      if (worker.state === 'stopped') void worker.start();
      else void worker.stop().then(() => startAgain(worker));
    }),
  'stop worker': (_world, member) => within(member, ({ worker }) => void worker.stop()),
  'drain worker'(world, member) {
    const grace = world.integerBelow(3000);
    within(member, ({ worker }) => void worker.drain({ grace }).then(() => startAgain(worker)));
  },
  abort: (world) => world.abort(),
  pause: (_world, member) =>
    within(member, ({ worker }) => {
      if (worker.isPaused) worker.resume();
      else worker.pause();
    }),
  'set concurrency'(world, member) {
    const concurrency = 1 + world.integerBelow(4);
    if (member.plan.way === 'lanes') return;
    within(member, ({ worker }) => worker.setConcurrency(concurrency));
  },
  'leave page': (world, member) =>
    within(member, ({ worker }) => {
      worker.leave();
      worker.process.setTimer(world.integerBelow(3000), () => worker.comeBack());
    }),
  background(world, member) {
    const { process } = member.worker;
    process.timerGrainMs = THROTTLED_GRAIN_MS;
    member.throttledUntilMs = Number.POSITIVE_INFINITY;
    disturb(member, world.clock.now() + LINE_MS);
    world.clock.setTimer(world.integerBelow(10_000), () => unthrottle(world, member));
  },
  jam(world, member) {
    const link = member.worker.network.links.at(-1);
    const end = world.integerBelow(2) === 0 ? link?.client : link?.server;
    if (end === undefined) return;
    end.stall();
    disturb(member, world.clock.now() + LINE_MS);
    world.clock.setTimer(world.integerBelow(3000), () => end.flow(world.integerBelow(2) === 0));
  },
  'change line'(world, member) {
    const link = member.worker.network.links.at(-1);
    if (link === undefined) return;
    link.latencyMs = 1 + world.integerBelow(150);
    link.jitterMs = world.integerBelow(100);
    disturb(member, world.clock.now() + 1000);
  },
};

/** Lets one of those happen that the plan has. */
export function strike(world: World): void {
  const { faults } = world.plan;
  let chance = world.random() * faults.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [fault, weight] of faults) {
    chance -= weight;
    if (chance > 0) continue;
    const member = world.memberAtRandom();
    world.referee.note(`${fault}: ${member.name}`);
    world.tally.faults.set(fault, (world.tally.faults.get(fault) ?? 0) + 1);
    happenings[fault](world, member);
    return;
  }
}

/** From now on nothing goes wrong any more, and everybody comes back. What has been lost is lost, as long as nobody knows. */
export function calm(world: World): void {
  const { referee } = world;
  world.isCalm = true;
  for (const [index, member] of referee.members.entries()) {
    if (!member.isAlive) continue;
    const { worker } = member;
    unthrottle(world, member);
    for (const { client, server } of worker.network.links) for (const end of [client, server]) end?.flow(true);
    within(member, () => {
      worker.resume();
      worker.comeBack();
      if (worker.state === 'stopped') void worker.start();
      // Somebody has to take what needs a lot.
      if (index === 0) worker.setConcurrency(Math.max(1, member.plan.concurrency));
    });
  }
}

function unthrottle({ clock }: World, member: Member): void {
  member.worker.process.timerGrainMs = 0;
  // What was set before rings late yet.
  member.throttledUntilMs = Math.min(member.throttledUntilMs, clock.now() + LONGEST_TIMER_MS + THROTTLED_GRAIN_MS);
}

function lose(world: World, member: Member, direction: Direction | 'both'): void {
  member.worker.halfOpen(direction);
  disturb(member, world.clock.now() + LINE_MS);
}

function startAgain(worker: Member['worker']): void {
  // Another stop may have come to the same end.
  if (worker.state === 'stopped') void worker.start();
}

/** In the process of a worker: when it runs, if it ever does. */
function within(member: Member, happen: (member: Member) => void): void {
  member.worker.process.arrive(0, () => {
    disturb(member, member.worker.process.now() + 3000);
    happen(member);
  });
}

/** Stops the master, at once or well, and starts it again, or another one with another scheduler. */
function endMaster(world: World, how: 'stopped' | 'draining', isSame: boolean): void {
  const { reign } = world.referee;
  const { master } = reign;
  const grace = world.integerBelow(2000);
  const pauseMs = world.integerBelow(500);
  master.process.arrive(0, () => {
    if (reign.state !== 'running') return;
    reign.state = how;
    reign.drainingSinceMs = world.clock.now();
    const ended = how === 'stopped' ? master.stop() : master.drain({ grace });
    void ended.then(() => {
      reign.state = 'stopped';
      master.process.setTimer(pauseMs, () => {
        if (isSame) {
          reign.state = 'running';
          reign.drainingSinceMs = Number.POSITIVE_INFINITY;
          void master.start();
        } else {
          world.reign();
        }
      });
    });
  });
}
