import { describe, expect, it } from 'vitest';
import { Lanes } from '../../../src/scheduling/lanes.ts';
import type { LeaseHolder } from '../../../src/scheduling/scheduler.ts';
import { TaskRecord } from '../../../src/scheduling/task-record.ts';
import { integerBelow, pick, seededRandom } from '../../support/random.ts';

const nothing = (): void => {};
const limits = { maxAttempts: 1, maxDeliveries: 1 };

function createRecord(sequence: number, type?: string): TaskRecord<unknown, unknown> {
  return new TaskRecord<unknown, unknown>(
    sequence,
    type === undefined ? sequence : { type },
    limits,
    undefined,
    nothing,
    nothing,
  );
}

function createHolder(id: string, accepts?: readonly string[]): LeaseHolder<unknown> {
  return { id, name: id, accepts: accepts === undefined ? undefined : new Set(accepts), revoke: nothing };
}

describe('Lanes', () => {
  it('gives all of it up in the order of the queue', () => {
    const lanes = new Lanes<unknown, unknown>();
    const records = [3, 0, 2, 1].map((sequence) => createRecord(sequence, sequence % 2 === 0 ? 'even' : undefined));
    for (const record of records) lanes.add(record);
    records[0]?.noteRefusal(createHolder('h'));
    expect(lanes.takeAll().map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
    expect([lanes.size, lanes.takeFirst(createHolder('h'))]).toEqual([0, undefined]);
    expect(records.map(({ heapIndex }) => heapIndex)).toEqual([-1, -1, -1, -1]);
  });

  it.each([1, 2, 3, 4])('agrees with a sorted list that every holder searches (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const lanes = new Lanes<unknown, unknown>();
    const holders = [
      createHolder('any'),
      createHolder('a', ['a']),
      createHolder('ab', ['a', 'b']),
      createHolder('none', []),
    ];
    let model: TaskRecord<unknown, unknown>[] = [];
    let outside: TaskRecord<unknown, unknown>[] = [];
    const mayHave = (holder: LeaseHolder<unknown>) => (record: TaskRecord<unknown, unknown>) =>
      !record.refusedBy.has(holder.id) &&
      (holder.accepts === undefined || (record.type !== undefined && holder.accepts.has(record.type)));
    const add = (record: TaskRecord<unknown, unknown>): void => {
      lanes.add(record);
      model = [...model, record].sort((a, b) => a.sequence - b.sequence);
      outside = outside.filter((each) => each !== record);
    };
    for (let step = 0; step < 1500; step += 1) {
      const holder = pick(random, holders);
      switch (integerBelow(random, 5)) {
        case 0:
          add(createRecord(step, pick(random, ['a', 'b', undefined])));
          break;
        case 1: {
          const taken = lanes.takeFirst(holder);
          if (taken !== model.find(mayHave(holder))) expect.unreachable(`step ${step}`);
          if (taken === undefined) break;
          model = model.filter((each) => each !== taken);
          outside.push(taken);
          if (random() < 0.5) taken.noteRefusal(holder);
          break;
        }
        case 2:
          if (outside.length > 0) add(pick(random, outside));
          break;
        case 3:
          if (model.length > 0) {
            const record = pick(random, model);
            lanes.remove(record);
            model = model.filter((each) => each !== record);
          }
          break;
        default:
          if (random() < 0.8) break;
          lanes.forget(holder.id);
          if (model.some((record) => record.refusedBy.has(holder.id))) expect.unreachable(`step ${step}`);
      }
      if (lanes.size !== model.length) expect.unreachable(`step ${step}: ${lanes.size}, not ${model.length}`);
    }
    expect(lanes.takeAll()).toEqual(model);
  });
});
