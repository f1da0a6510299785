import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Grant, GrantTable } from '../../../src/master/grants.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';
import { leaseOf } from '../../support/leases.ts';

const infinity = Number.POSITIVE_INFINITY;

function setUp(count: number) {
  const table = new GrantTable<number>();
  const leases: Lease<number>[] = Array.from({ length: count }, (_, task) => leaseOf(task));
  const grants = leases.map((lease) => table.add(lease, 900));
  const states = (): string[] => grants.map(({ state }) => state);
  /** Starts as many as the worker has slots for, with that timeout; returns which. */
  const start = (concurrency: number, nowMs: number, timeoutMs = infinity): number[] => {
    const started: number[] = [];
    for (let grant = table.start(concurrency, nowMs); grant !== undefined; grant = table.start(concurrency, nowMs)) {
      grant.dueMs = nowMs + timeoutMs;
      started.push(grant.id);
    }
    return started;
  };
  return { table, leases, grants, states, start };
}

describe('GrantTable', () => {
  it('numbers the grants of a connection from 1', () => {
    const { table, leases, grants } = setUp(3);
    expect(grants.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect([...table]).toEqual(grants);
    for (const [index, grant] of grants.entries()) {
      expect(table.get(grant.id)).toBe(grant);
      expect(table.find(leases[index] as Lease<number>)).toBe(grant);
    }
  });

  it('never uses a number twice', () => {
    const { table, leases, grants } = setUp(2);
    for (const grant of grants) table.remove(grant);
    expect(table.add(leases[0] as Lease<number>, 1000).id).toBe(3);
  });

  it('knows which numbers it gave out, whatever has become of them', () => {
    const { table, grants } = setUp(2);
    for (const grant of grants) table.remove(grant);
    expect([-1, 0, 1, 2, 3, 1.5].map((id) => table.wasGranted(id))).toEqual([false, false, true, true, false, true]);
    expect([table.get(1), table.find(leaseOf(0))]).toEqual([undefined, undefined]);
  });

  it('starts the oldest, as many as the worker runs at once', () => {
    const { table, grants, states, start } = setUp(4);
    expect(states()).toEqual(Array(4).fill('waiting'));
    expect(start(2, 1000)).toEqual([1, 2]);
    expect(states()).toEqual(['running', 'running', 'waiting', 'waiting']);
    expect(grants[1]).toMatchObject({ grantedAtMs: 900, startedAtMs: 1000 });
    expect([table.size, table.running, table.waiting, table.live]).toEqual([4, 2, 2, 4]);
  });

  it('starts the next when one has ended, and counts its time from then', () => {
    const { table, grants, states, start } = setUp(3);
    start(1, 1000, 50);
    expect(start(1, 1010)).toEqual([]);
    expect(table.remove(grants[0] as never)).toBe(true);
    expect(start(1, 1020, 50)).toEqual([2]);
    expect(states()).toEqual(['running', 'running', 'waiting']);
    expect([grants[1]?.startedAtMs, table.nextDueMs()]).toEqual([1020, 1070]);
  });

  it('starts none while the worker runs none, and leaves those alone that run', () => {
    const { states, start } = setUp(3);
    expect(start(0, 1000)).toEqual([]);
    start(2, 1000);
    expect([start(0, 2000), start(1, 2000)]).toEqual([[], []]);
    expect(states()).toEqual(['running', 'running', 'waiting']);
  });

  it('keeps the slot of a cancelled one until it is answered', () => {
    const { table, grants, states, start } = setUp(2);
    start(1, 1000, 50);
    table.cancel(grants[0] as never);
    expect(start(1, 1010)).toEqual([]);
    expect([states(), table.running, table.live, table.nextDueMs()]).toEqual([
      ['cancelled', 'waiting'],
      1,
      1,
      infinity,
    ]);
    table.remove(grants[0] as never);
    expect([start(1, 1020), table.size, table.live]).toEqual([[2], 1, 1]);
    expect(states()).toEqual(['cancelled', 'running']);
  });

  it('gives a slot, but no start, to one that was cancelled while it waited', () => {
    const { table, grants, states, start } = setUp(3);
    table.cancel(grants[1] as never);
    expect(start(2, 1000, 50)).toEqual([1]);
    expect([states(), table.running]).toEqual([['running', 'cancelled', 'waiting'], 2]);
    expect(table.overdue(2000)).toEqual([grants[0]]);
  });

  it('lets wait again what has not started after all, in its order', () => {
    const { table, grants, states, start } = setUp(5);
    start(3, 1000, 50);
    table.cancel(grants[1] as never);
    table.turnBack(1, true);
    expect(states()).toEqual(['running', 'cancelled', 'waiting', 'waiting', 'waiting']);
    expect([table.running, table.waiting, table.live, table.nextDueMs()]).toEqual([1, 4, 4, 1050]);
    expect([...table.recallable()].map(([{ id }, position]) => [id, position])).toEqual([
      [5, 4],
      [4, 3],
      [3, 2],
    ]);
    expect([grants[0]?.startedAtMs, grants[2]?.startedAtMs]).toEqual([1000, undefined]);
    expect([start(3, 2000), table.running]).toEqual([[3], 3]);
    expect(grants[2]?.startedAtMs).toBe(2000);
  });

  it('neither times nor offers for recall what may have started', () => {
    const { table, grants, states, start } = setUp(4);
    start(3, 1000, 50);
    table.turnBack(1, false);
    expect(states()).toEqual(['running', 'running', 'running', 'waiting']);
    expect([table.running, table.overdue(2000)]).toEqual([1, [grants[0]]]);
    expect([...table.recallable()]).toEqual([[grants[3], 3]]);
    expect([start(2, 3000, 50), table.overdue(3049)]).toEqual([[2], [grants[0]]]);
  });

  it('turns nothing back if as many run as it thought, or more', () => {
    const { table, states, start } = setUp(3);
    start(2, 1000, 50);
    table.turnBack(2, true);
    table.turnBack(9, true);
    expect([states(), table.running]).toEqual([['running', 'running', 'waiting'], 2]);
  });

  it('takes out one that waits, without disturbing the order of the others', () => {
    const { table, grants, states, start } = setUp(4);
    expect(table.remove(grants[1] as never)).toBe(false);
    start(2, 1000);
    expect(states()).toEqual(['running', 'waiting', 'running', 'waiting']);
    expect(table.size).toBe(3);
  });

  it('finds the overdue', () => {
    const { table, grants, start } = setUp(3);
    start(1, 1000, 50);
    start(2, 1020, 50);
    expect([table.overdue(1049), table.overdue(1050), table.overdue(1070)]).toEqual([
      [],
      [grants[0]],
      [grants[0], grants[1]],
    ]);
    expect(table.nextDueMs()).toBe(1050);
  });

  it('is never overdue without a timeout', () => {
    const { table, start } = setUp(1);
    start(1, 1000);
    expect([table.overdue(Number.MAX_VALUE), table.nextDueMs()]).toEqual([[], infinity]);
  });

  it('offers what waits for recall, the last first, each with its position', () => {
    const { table, grants, start } = setUp(4);
    start(1, 1000);
    table.recall(grants[3] as never, 1100);
    expect([...table.recallable()]).toEqual([
      [grants[2], 2],
      [grants[1], 1],
    ]);
    expect([...table.recalled]).toHaveLength(1);
  });

  it('waits for one that is recalled until it is due, unless it is given back or starts', () => {
    const { table, grants, start, states } = setUp(4);
    start(1, 1000);
    for (const grant of grants.slice(1)) table.recall(grant, 1100);
    table.remove(grants[3] as never);
    table.remove(grants[0] as never);
    start(1, 1050);
    expect(states()).toEqual(['running', 'running', 'recalled', 'recalled']);
    expect([[...table.recalled], table.overdue(1099), table.overdue(1100)]).toEqual([[grants[2]], [], [grants[2]]]);
    expect(table.nextDueMs()).toBe(1100);
    table.cancel(grants[2] as never);
    expect([[...table.recalled], table.overdue(9999), table.live]).toEqual([[], [], 1]);
  });

  it('starts one out of turn, in a slot more, and then the others as ever', () => {
    const { table, grants, states, start } = setUp(6);
    start(2, 1000, 50);
    table.recall(grants[3] as never, 1100);
    table.startOutOfTurn(grants[3] as never, 1010);
    expect(states()).toEqual(['running', 'running', 'waiting', 'running', 'waiting', 'waiting']);
    expect([table.running, table.waiting, [...table.recalled], grants[3]?.startedAtMs]).toEqual([3, 3, [], 1010]);
    expect([...table.recallable()].map(([{ id }, position]) => [id, position])).toEqual([
      [6, 3],
      [5, 2],
      [3, 1],
    ]);
    table.remove(grants[0] as never);
    expect(start(2, 1020)).toEqual([]);
    expect([table.remove(grants[3] as never), table.remove(grants[1] as never)]).toEqual([true, true]);
    expect([start(2, 1030), table.waiting]).toEqual([[3, 5], 1]);
  });

  it('turns none back that is known to have started out of turn', () => {
    const { table, grants, states, start } = setUp(4);
    start(2, 1000);
    table.startOutOfTurn(grants[3] as never, 1000);
    table.turnBack(2, true);
    expect([states(), table.waiting]).toEqual([['running', 'waiting', 'waiting', 'running'], 2]);
    table.turnBack(0, true);
    expect([states(), table.running, table.waiting]).toEqual([['waiting', 'waiting', 'waiting', 'running'], 1, 3]);
    table.remove(grants[3] as never);
    expect(start(3, 2000)).toEqual([1, 2, 3]);
  });

  it('keeps nothing of thousands that overtake one that never ends', () => {
    const { table, grants, start } = setUp(4);
    start(2, 1000);
    for (let count = 0; count < 10_000; count += 1) {
      const grant = table.add(leaseOf(count), 1000);
      table.startOutOfTurn(grant, 1000);
      table.remove(grant);
    }
    expect([table.size, table.running, table.waiting]).toEqual([4, 2, 2]);
    table.remove(grants[0] as never);
    expect([start(2, 2000), table.waiting]).toEqual([[3], 1]);
  });

  it('behaves as a list in order, whatever starts out of turn, is recalled, turned back, cancelled or answered', () => {
    const step = fc.tuple(
      fc.constantFrom('add', 'add', 'start', 'outOfTurn', 'recall', 'cancel', 'remove', 'turnBack'),
      fc.nat(20),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new GrantTable<number>();
        /** All that are not answered, in order, and whether they occupy a slot. */
        const model: { grant: Grant<number>; occupies: boolean; isOutOfTurn: boolean }[] = [];
        const running = (): number => model.filter(({ occupies }) => occupies).length;
        for (const [what, n] of steps) {
          const one = model[n % (model.length || 1)];
          const isWaiting = one?.grant.state === 'waiting' || one?.grant.state === 'recalled';
          if (what === 'add') {
            model.push({ grant: table.add(leaseOf(n), 0), occupies: false, isOutOfTurn: false });
          } else if (what === 'start') {
            while (table.start(n, 0) !== undefined);
            for (const each of model) each.occupies ||= running() < n;
          } else if (what === 'turnBack') {
            table.turnBack(n, true);
            const inTurn = model.filter(({ occupies, isOutOfTurn }) => occupies && !isOutOfTurn);
            const left = Math.max(0, n - (running() - inTurn.length));
            for (const each of inTurn.slice(left)) each.occupies = false;
          } else if (one === undefined) {
            // Nothing is there that it could happen to.
          } else if (what === 'outOfTurn' && isWaiting) {
            table.startOutOfTurn(one.grant, 0);
            Object.assign(one, { occupies: true, isOutOfTurn: true });
          } else if (what === 'recall' && one.grant.state === 'waiting') {
            table.recall(one.grant, 0);
          } else if (what === 'cancel') {
            table.cancel(one.grant);
          } else if (what === 'remove') {
            expect(table.remove(one.grant)).toBe(one.occupies);
            model.splice(model.indexOf(one), 1);
          }
          const waiting = model.filter(({ occupies }) => !occupies).map(({ grant }) => grant);
          expect([table.size, table.running, table.waiting]).toEqual([model.length, running(), waiting.length]);
          const recallable = waiting.map((grant, index) => [grant, index + 1] as const);
          expect([...table.recallable()]).toEqual(recallable.filter(([{ state }]) => state === 'waiting').reverse());
          expect(new Set(table.recalled)).toEqual(new Set(waiting.filter(({ state }) => state === 'recalled')));
          for (const { grant, occupies } of model)
            if (occupies) expect(['running', 'cancelled']).toContain(grant.state);
        }
      }),
    );
  });
});
