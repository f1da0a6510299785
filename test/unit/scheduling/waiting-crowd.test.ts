// What it costs to serve a few tasks while many wait for one.
import { describe, expect, it, vi } from 'vitest';
import { GrantTable } from '../../../src/master/grants.ts';
import { Profile } from '../../../src/scheduling/profile.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { defaultTerms } from '../../../src/scheduling/task-options.ts';
import { TaskRecord } from '../../../src/scheduling/task-record.ts';
import { WaitingRoom } from '../../../src/scheduling/waiting-room.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { TestHolder } from '../../support/holders.ts';
import { leaseOf } from '../../support/leases.ts';
import { TestScheduler } from '../../support/scheduler.ts';

/** A room in which `count` holders wait, for up to `max` leases each, of which they could start `idleSlots` at once. */
function roomOf(count: number, max = 1, idleSlots: (index: number) => number = () => max) {
  const scheduler = new TestScheduler<number, number>();
  /** What is left of the tasks 1, 2, 3, …; all of them may be had by everybody. */
  let next = 1;
  let last = 0;
  let asked = 0;
  const lease = () => {
    asked += 1;
    next += 1;
    return leaseOf(next - 1);
  };
  const room = new WaitingRoom<number, number>(lease, () => {});
  const profile = new Profile<number, number>('all', new TestHolder(scheduler, 'example'));
  vi.spyOn(profile, 'first').mockImplementation(() => (next > last ? undefined : recordOf(next)));
  const served: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const holder = new TestHolder(scheduler, `h${index}`);
    holder.idleSlots = idleSlots(index);
    void room
      .wait(profile, holder, max, new AbortController().signal)
      .then((leases) => served.push(`${holder.id}: ${leases.map(({ task }) => task).join()}`));
  }
  /** Serves so many tasks more; returns how often it asked for one. */
  const serve = (tasks: number): number => {
    asked = 0;
    last += tasks;
    room.serve();
    return asked;
  };
  return { room, served, serve };
}

function recordOf(n: number): TaskRecord<number, number> {
  return new TaskRecord<number, number>(n, n, defaultTerms, () => {});
}

describe('WaitingRoom', () => {
  it('asks for as many as there are, however many wait', async () => {
    const { served, serve } = roomOf(1000);
    expect([serve(1), serve(1), serve(3)]).toEqual([1, 1, 3]);
    await nextTurn();
    // The longest waiting first, and nobody twice.
    expect(served).toEqual(['h0: 1', 'h1: 2', 'h2: 3', 'h3: 4', 'h4: 5']);
  });

  it('asks for none if there is none', () => {
    const { room, serve } = roomOf(1000);
    expect([serve(0), room.isEmpty]).toEqual([0, false]);
  });

  it('goes round, one each a round, to those who want more', async () => {
    const { served, serve } = roomOf(3, 2);
    expect(serve(5)).toBe(5);
    await nextTurn();
    expect(served.sort()).toEqual(['h0: 1,4', 'h1: 2,5', 'h2: 3']);
  });

  it('serves those who could start at once before those who stock up', async () => {
    const { served, serve } = roomOf(4, 2, (index) => index % 2);
    serve(5);
    await nextTurn();
    expect(served.sort()).toEqual(['h0: 3', 'h1: 1,5', 'h2: 4', 'h3: 2'].sort());
  });
});

describe('GrantTable', () => {
  it('finds the grant of a lease without looking at the others', () => {
    const table = new GrantTable<number>();
    const leases = Array.from({ length: 1000 }, (_, task) => leaseOf(task));
    let looks = 0;
    const grants = leases.map((lease) => {
      const grant = table.add(lease, 0);
      return Object.defineProperty(grant, 'lease', {
        get() {
          looks += 1;
          return lease;
        },
      });
    });
    for (const index of [0, 500, 999]) expect(table.find(leases[index] as Lease<number>) === grants[index]).toBe(true);
    expect(table.find(leaseOf(500))).toBeUndefined();
    expect(looks).toBe(3);
  });
});
