// What it costs to serve a few tasks while many wait for one.
import { describe, expect, it } from 'vitest';
import { GrantTable } from '../../../src/master/grants.ts';
import type { Lease, LeaseHolder } from '../../../src/scheduling/scheduler.ts';
import { WaitingRoom } from '../../../src/scheduling/waiting-room.ts';
import { nextTurn } from '../../support/event-loop.ts';

const holderOf = (id: string): LeaseHolder<number> => ({ id, name: id, accepts: undefined, revoke() {} });
const leaseOf = (task: number): Lease<number> => ({ key: String(task), attempt: 1, task, isLive: true });

/** A room in which `count` holders wait, for up to `max` leases each. */
function roomOf(count: number, max = 1) {
  const room = new WaitingRoom<number>();
  const served: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const holder = holderOf(`h${index}`);
    void room
      .wait(holder, max, new AbortController().signal)
      .then((leases) => served.push(`${holder.id}: ${leases.map(({ task }) => task).join()}`));
  }
  /** Serves so many tasks, which only some may have; returns how often it asked for one. */
  const serve = (tasks: number, mayHave: (holder: LeaseHolder<number>) => boolean = () => true): number => {
    let asked = 0;
    let next = 0;
    room.serve(
      (holder) => {
        asked += 1;
        if (next === tasks || !mayHave(holder)) return undefined;
        next += 1;
        return leaseOf(next);
      },
      () => next < tasks,
    );
    return asked;
  };
  return { room, served, serve };
}

describe('WaitingRoom', () => {
  it('asks for as many as there are, however many wait', async () => {
    const { served, serve } = roomOf(1000);
    expect([serve(1), serve(1), serve(3)]).toEqual([1, 1, 3]);
    await nextTurn();
    // The longest waiting first, and nobody twice.
    expect(served).toEqual(['h0: 1', 'h1: 1', 'h2: 1', 'h3: 2', 'h4: 3']);
  });

  it('asks for none if there is none', () => {
    const { room, serve } = roomOf(1000);
    expect([serve(0), room.isEmpty]).toEqual([0, false]);
  });

  it('asks on behalf of those who may not have it until it finds one who may', async () => {
    const { served, serve } = roomOf(1000);
    expect(serve(1, ({ id }) => id === 'h9')).toBe(10);
    await nextTurn();
    expect(served).toEqual(['h9: 1']);
  });

  it('asks each once if nobody may have it', () => {
    expect(roomOf(1000, 5).serve(1, () => false)).toBe(1000);
  });

  it('goes round, one each a round, to those who want more', async () => {
    const { served, serve } = roomOf(3, 2);
    expect(serve(5)).toBe(5);
    await nextTurn();
    expect(served.sort()).toEqual(['h0: 1,4', 'h1: 2,5', 'h2: 3']);
  });
});

describe('GrantTable', () => {
  it('finds the grant of a lease without looking at the others', () => {
    const table = new GrantTable<number>();
    const leases = Array.from({ length: 1000 }, (_, task) => leaseOf(task));
    let looks = 0;
    const grants = leases.map((lease) => {
      const grant = table.add(lease);
      return Object.defineProperty(grant, 'lease', {
        get() {
          looks += 1;
          return lease;
        },
      });
    });
    for (const index of [0, 500, 999]) expect(table.find(leases[index] as Lease<number>) === grants[index]).toBe(true);
    expect(table.find(leaseOf(500))).toBeUndefined();
    expect(looks).toBe(0);
  });
});
