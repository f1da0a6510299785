import { describe, expect, it } from 'vitest';
import { GrantTable } from '../../../src/master/grants.ts';
import type { Lease } from '../../../src/scheduling/scheduler.ts';

const infinity = Number.POSITIVE_INFINITY;
const leaseOf = (task: number): Lease<number> => ({ key: String(task), attempt: 1, task, isLive: true });

function setUp(count: number) {
  const table = new GrantTable<number>();
  const leases: Lease<number>[] = Array.from({ length: count }, (_, task) => leaseOf(task));
  const grants = leases.map((lease) => table.add(lease));
  const states = (): string[] => grants.map(({ state }) => state);
  return { table, leases, grants, states };
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
    expect(table.add(leases[0] as Lease<number>).id).toBe(3);
  });

  it('knows which numbers it gave out, whatever has become of them', () => {
    const { table, grants } = setUp(2);
    for (const grant of grants) table.remove(grant);
    expect([-1, 0, 1, 2, 3, 1.5].map((id) => table.wasGranted(id))).toEqual([false, false, true, true, false, true]);
    expect([table.get(1), table.find(leaseOf(0))]).toEqual([undefined, undefined]);
  });

  it('starts the oldest, as many as the worker runs at once', () => {
    const { table, grants, states } = setUp(4);
    expect(states()).toEqual(Array(4).fill('waiting'));
    expect(table.start(2, 1000, 50)).toBe(1050);
    expect(states()).toEqual(['running', 'running', 'waiting', 'waiting']);
    expect(grants[1]).toMatchObject({ startedAtMs: 1000, deadlineMs: 1050 });
    expect([table.size, table.running]).toEqual([4, 2]);
  });

  it('starts the next when one has ended, and counts its time from then', () => {
    const { table, grants, states } = setUp(3);
    table.start(1, 1000, 50);
    expect(table.start(1, 1010, 50)).toBe(infinity);
    table.remove(grants[0] as never);
    expect(table.start(1, 1020, 50)).toBe(1070);
    expect(states()).toEqual(['running', 'running', 'waiting']);
    expect(table.nextDeadlineMs()).toBe(1070);
  });

  it('starts none while the worker runs none, and leaves those alone that run', () => {
    const { table, states } = setUp(3);
    expect(table.start(0, 1000, 50)).toBe(infinity);
    table.start(2, 1000, 50);
    expect(table.start(0, 2000, 50)).toBe(infinity);
    expect(table.start(1, 2000, 50)).toBe(infinity);
    expect(states()).toEqual(['running', 'running', 'waiting']);
  });

  it('keeps the slot of a cancelled one until it is answered', () => {
    const { table, grants, states } = setUp(2);
    table.start(1, 1000, 50);
    (grants[0] as { state: string }).state = 'cancelled';
    expect(table.start(1, 1010, 50)).toBe(infinity);
    expect([states(), table.running, table.nextDeadlineMs()]).toEqual([['cancelled', 'waiting'], 1, infinity]);
    table.remove(grants[0] as never);
    expect(table.start(1, 1020, 50)).toBe(1070);
    expect(states()).toEqual(['cancelled', 'running']);
  });

  it('does not let one run that was cancelled while it waited', () => {
    const { table, grants, states } = setUp(2);
    (grants[1] as { state: string }).state = 'cancelled';
    table.start(2, 1000, 50);
    expect(states()).toEqual(['running', 'cancelled']);
    expect(table.overdue(2000)).toEqual([grants[0]]);
  });

  it('takes out one that waits, without disturbing the order of the others', () => {
    const { table, grants, states } = setUp(4);
    table.remove(grants[1] as never);
    table.start(2, 1000, 50);
    expect(states()).toEqual(['running', 'waiting', 'running', 'waiting']);
    expect(table.size).toBe(3);
  });

  it('finds the overdue', () => {
    const { table, grants } = setUp(3);
    table.start(1, 1000, 50);
    table.start(2, 1020, 50);
    expect([table.overdue(1049), table.overdue(1050), table.overdue(1070)]).toEqual([
      [],
      [grants[0]],
      [grants[0], grants[1]],
    ]);
    expect(table.nextDeadlineMs()).toBe(1050);
  });

  it('is never overdue without a timeout', () => {
    const { table } = setUp(1);
    expect(table.start(1, 1000, infinity)).toBe(infinity);
    expect([table.overdue(Number.MAX_VALUE), table.nextDeadlineMs()]).toEqual([[], infinity]);
  });
});
