import { describe, expect, it } from 'vitest';
import type { Labels, Requirements } from '../../../src/labels.ts';
import { requirementsKey } from '../../../src/labels.ts';
import { Backlog } from '../../../src/scheduling/backlog.ts';
import type { Lane } from '../../../src/scheduling/lane.ts';
import { principalOf } from '../../../src/scheduling/principal.ts';
import type { LeaseHolder } from '../../../src/scheduling/scheduler.ts';
import { defaultTerms } from '../../../src/scheduling/task-options.ts';
import { TaskRecord } from '../../../src/scheduling/task-record.ts';
import { Verification } from '../../../src/scheduling/verification.ts';
import { integerBelow, pick, seededRandom } from '../../../src/testing/seeded-random.ts';

type AnyRecord = TaskRecord<unknown, unknown>;
type AnyHolder = LeaseHolder<unknown>;

const nothing = (): void => {};

function recordOf(sequence: number, type?: string, priority = 0, requires?: Requirements): AnyRecord {
  const terms = { ...defaultTerms, priority, requires, requiresKey: requirementsKey(requires) };
  const task = type === undefined ? sequence : { type };
  return new TaskRecord<unknown, unknown>(sequence, task, terms, nothing);
}

function holderOf(id: string, accepts?: readonly string[], labels?: Labels): AnyHolder {
  const set = accepts === undefined ? undefined : new Set(accepts);
  return { id, name: id, accepts: set, labels, idleSlots: 1, revoke: nothing };
}

function backlogOf() {
  const orphans: string[] = [];
  /** The tasks of which it was told that nobody may have them. */
  const orphaned: AnyRecord[] = [];
  /** The lanes of which it was told that they have got a new first task, but for those that are no more. */
  const newLanes = new Set<Lane<unknown, unknown>>();
  const backlog = new Backlog<unknown, unknown>(
    {
      laneOrphaned: ({ records }) => {
        orphans.push(`lane of ${records.size}`);
        orphaned.push(...records);
      },
      taskOrphaned: (record) => {
        orphans.push(`task ${record.sequence}`);
        orphaned.push(record);
      },
      laneMerged: (lane, into) => orphans.push(`lane of ${lane.records.size} into one of ${into.records.size}`),
      backlogEmptied: nothing,
    },
    {
      moved: nothing,
      firstChanged: (lane) => newLanes.add(lane),
      laneDropped: (lane) => newLanes.delete(lane),
    },
  );
  return { backlog, orphans, orphaned, newLanes };
}

const sequencesOf = (records: readonly AnyRecord[]): number[] =>
  records.map(({ sequence }) => sequence).sort((a, b) => a - b);

/** Takes out the first task that this holder may have. */
function take(backlog: Backlog<unknown, unknown>, holder: AnyHolder): AnyRecord | undefined {
  const record = backlog.choiceOf(holder).first();
  if (record !== undefined) backlog.remove(record);
  return record;
}

describe('Backlog', () => {
  it('gives all of it up in the order of the queue', () => {
    const { backlog } = backlogOf();
    const records = [3, 0, 2, 1].map((sequence) => recordOf(sequence, sequence % 2 === 0 ? 'even' : undefined));
    const urgent = recordOf(4, undefined, 1);
    for (const record of [...records, urgent]) backlog.add(record);
    expect([backlog.size, backlog.longestReady()]).toEqual([5, records[0]]);
    expect(backlog.takeAll().map(({ sequence }) => sequence)).toEqual([4, 0, 1, 2, 3]);
    expect([backlog.size, backlog.longestReady()]).toEqual([0, undefined]);
    expect(records.map(({ heapIndex, lane }) => [heapIndex, lane])).toEqual(Array(4).fill([-1, undefined]));
  });

  it('says which lanes are no more, as whoever refused their tasks has left', () => {
    const { backlog, newLanes } = backlogOf();
    const holders = Array.from({ length: 10 }, (_, index) => holderOf(`holder ${index}`));
    for (const holder of holders) backlog.join(holder);
    const record = recordOf(1);
    for (const holder of holders) backlog.refuse(holder, record);
    backlog.add(record);
    for (const holder of holders) backlog.leave(holder);
    expect([...newLanes]).toEqual([record.lane]);
  });

  it('lets those choose from the same of whom nothing is queued that one must not have', () => {
    const { backlog } = backlogOf();
    const [voter, other] = [holderOf('voter'), holderOf('other')];
    for (const holder of [voter, other]) backlog.join(holder);
    const record = recordOf(1);
    record.verification = new Verification({ quorum: 2, maxReplicas: 5, equals: () => true, trustAfter: undefined });
    record.verification.granted(principalOf(voter), 'one of several');
    backlog.add(record);
    expect([backlog.choiceOf(voter).first(), backlog.choiceOf(other).first()]).toEqual([undefined, record]);
    backlog.remove(record);
    expect(backlog.choiceOf(voter)).toBe(backlog.choiceOf(other));
  });

  it('takes a task out that came out of order, and then to another lane in order', () => {
    const { backlog } = backlogOf();
    const [stays, leaves] = [holderOf('stays'), holderOf('leaves')];
    for (const holder of [stays, leaves]) backlog.join(holder);
    const [first, second] = [recordOf(1), recordOf(2)];
    for (const record of [second, first]) {
      backlog.refuse(leaves, record);
      backlog.add(record);
    }
    backlog.remove(second);
    // Both lanes are one from now on.
    backlog.leave(leaves);
    expect([take(backlog, stays), take(backlog, stays), backlog.size]).toEqual([first, undefined, 0]);
  });

  it.each([1, 2, 3, 4, 5, 6])('agrees with a sorted list that every holder searches (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const { backlog, orphaned } = backlogOf();
    const kinds: readonly (readonly [readonly string[] | undefined, Labels | undefined])[] = [
      [undefined, undefined],
      [undefined, { gpu: true, memory: 8 }],
      [['a'], undefined],
      [['a', 'b'], { memory: 2 }],
      [[], undefined],
    ];
    let holders: AnyHolder[] = [];
    let model: AnyRecord[] = [];
    let outside: AnyRecord[] = [];
    let orphans = new Set<AnyRecord>();
    const mayHave =
      (holder: AnyHolder) =>
      (record: AnyRecord): boolean =>
        record.suits(holder);
    const add = (record: AnyRecord): void => {
      backlog.add(record);
      record.state = 'queued';
      model = [...model, record].sort((a, b) => b.terms.priority - a.terms.priority || a.sequence - b.sequence);
      outside = outside.filter((each) => each !== record);
    };
    for (let step = 0; step < 2500; step += 1) {
      if (holders.length === 0 || (holders.length < 8 && random() < 0.05)) {
        const holder = holderOf(`h${step}`, ...pick(random, kinds));
        holders.push(holder);
        backlog.join(holder);
      }
      const holder = pick(random, holders);
      switch (integerBelow(random, 6)) {
        case 0:
        case 1: {
          const requires = pick(random, [undefined, undefined, { gpu: true }, { memory: { min: 4 } }, { gpu: false }]);
          add(recordOf(step, pick(random, ['a', 'b', undefined]), pick(random, [0, 0, 0, 1, -1]), requires));
          break;
        }
        case 2: {
          const taken = take(backlog, holder);
          if (taken !== model.find(mayHave(holder))) expect.unreachable(`step ${step}`);
          if (taken === undefined) break;
          model = model.filter((each) => each !== taken);
          outside.push(taken);
          if (random() < 0.5) {
            backlog.refuse(holder, taken);
          }
          break;
        }
        case 3: {
          if (outside.length === 0) break;
          const record = pick(random, outside);
          if (random() < 0.8) {
            add(record);
          } else {
            backlog.settled(record);
            outside = outside.filter((each) => each !== record);
          }
          break;
        }
        case 4:
          if (model.length > 0 && random() < 0.3) {
            const record = pick(random, model);
            backlog.remove(record);
            model = model.filter((each) => each !== record);
          }
          break;
        default:
          if (random() < 0.9) break;
          backlog.leave(holder);
          holders = holders.filter((each) => each !== holder);
          if (model.some((record) => record.refusedBy.has(holder.id))) expect.unreachable(`step ${step}`);
      }
      if (backlog.size !== model.length) expect.unreachable(`step ${step}: ${backlog.size}, not ${model.length}`);
      const before = orphans;
      orphans = new Set(model.filter((record) => !holders.some((each) => record.suits(each))));
      if (backlog.orphans !== orphans.size) expect.unreachable(`step ${step}: ${backlog.orphans}, not ${orphans.size}`);
      const news = [...orphans].filter((record) => !before.has(record));
      expect(sequencesOf(orphaned.splice(0)), `told in step ${step}`).toEqual(sequencesOf(news));
    }
    expect(backlog.takeAll()).toEqual(model);
  });

  it('keeps what one holder has refused from that one alone, until it leaves', () => {
    const { backlog } = backlogOf();
    const [first, second] = [holderOf('first'), holderOf('second')];
    backlog.join(first);
    backlog.join(second);
    const record = recordOf(0);
    backlog.add(record);
    expect(take(backlog, first)).toBe(record);
    backlog.refuse(first, record);
    backlog.add(record);
    expect([backlog.choiceOf(first).first(), backlog.choiceOf(second).first()]).toEqual([undefined, record]);
    backlog.leave(first);
    expect([record.refusedBy.size, backlog.choiceOf(second).first()]).toEqual([0, record]);
  });

  it('tells of tasks that nobody who is there may have, and of those that nobody may have any more', () => {
    const { backlog, orphans } = backlogOf();
    const [a, b] = [holderOf('a', ['a']), holderOf('b', ['b'])];
    backlog.add(recordOf(0, 'a'));
    expect([orphans, backlog.orphans]).toEqual([['task 0'], 1]);
    backlog.join(a);
    backlog.add(recordOf(1, 'a'));
    backlog.join(b);
    backlog.add(recordOf(2, 'b'));
    expect([orphans, backlog.orphans]).toEqual([['task 0'], 0]);
    backlog.leave(a);
    expect([orphans, backlog.orphans]).toEqual([['task 0', 'lane of 2'], 2]);
  });

  it('does not keep lanes of kinds that do not come again', () => {
    const { backlog } = backlogOf();
    const holder = holderOf('h');
    backlog.join(holder);
    for (let index = 0; index < 5000; index += 1) {
      backlog.add(recordOf(index, `type ${index}`));
      expect(take(backlog, holder)?.sequence).toBe(index);
    }
    expect(backlog.lanes).toBeLessThan(600);
  });

  it('keeps a lane that was empty and is not any more, however many others are emptied', () => {
    const { backlog } = backlogOf();
    const holder = holderOf('h', ['b']);
    backlog.join(holder);
    const [first, again] = [recordOf(0, 'a'), recordOf(1, 'a')];
    backlog.add(first);
    backlog.remove(first);
    backlog.add(again);
    for (let index = 0; index < 1000; index += 1) {
      const record = recordOf(index + 2, `type ${index}`);
      backlog.add(record);
      backlog.remove(record);
    }
    const late = holderOf('late', ['a']);
    backlog.join(late);
    expect([backlog.size, take(backlog, late)]).toEqual([1, again]);
  });

  it('looks at few of the tasks to find the first, however many of however many kinds wait', () => {
    /** How many comparisons it takes to take 100 tasks, among this many kinds of this many tasks each. */
    const comparisons = (kinds: number, perKind: number): number => {
      const { backlog } = backlogOf();
      const [all, some] = [holderOf('all'), holderOf('some', ['type 1', 'type 2'])];
      backlog.join(all);
      backlog.join(some);
      let count = 0;
      for (let index = 0; index < kinds * perKind; index += 1) {
        const record = recordOf(index, `type ${index % kinds}`);
        const { isBefore } = record;
        record.isBefore = (other) => {
          count += 1;
          return isBefore.call(record, other);
        };
        backlog.add(record);
      }
      count = 0;
      for (let index = 0; index < 50; index += 1) {
        expect(take(backlog, all)).toBeDefined();
        expect(take(backlog, some)).toBeDefined();
      }
      return count;
    };
    const few = comparisons(4, 100);
    const many = comparisons(400, 100);
    const long = comparisons(4, 10_000);
    // O(log n): a hundred times as much is a few comparisons more for each.
    expect(Math.max(many, long)).toBeLessThan(few + 100 * 3 * Math.log2(100));
  });
});
