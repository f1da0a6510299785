// The backlog, divided into lanes: a lane holds the queued tasks that the same workers may take.
import { Heap } from '../heap.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { TaskRecord } from './task-record.ts';

class Lane<T, R> {
  readonly type: string | undefined;
  readonly refusedBy: ReadonlySet<string>;
  readonly records = new Heap<TaskRecord<T, R>>((a, b) => a.sequence < b.sequence);

  constructor(type: string | undefined, refusedBy: ReadonlySet<string>) {
    this.type = type;
    this.refusedBy = refusedBy;
  }

  isFor(holder: LeaseHolder<T>): boolean {
    if (this.refusedBy.has(holder.id)) return false;
    return holder.accepts === undefined || (this.type !== undefined && holder.accepts.has(this.type));
  }
}

/** All queued tasks. Each operation costs O(log n) in the backlog, and O(lanes) where a worker must choose. */
export class Lanes<T, R> {
  /** By type: the tasks that nobody has rejected. */
  readonly #fresh = new Map<string | undefined, Lane<T, R>>();
  /** By type and who rejected them: the others. */
  readonly #refused = new Map<string, Lane<T, R>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts a task at its place. */
  add(record: TaskRecord<T, R>): void {
    this.#laneOf(record).records.push(record);
    this.#size += 1;
  }

  /** Takes a queued task out. */
  remove(record: TaskRecord<T, R>): void {
    const lane = this.#laneOf(record);
    lane.records.remove(record);
    this.#size -= 1;
    if (lane.records.size === 0) this.#drop(lane);
  }

  /** Takes out the first task that this holder may have. */
  takeFirst(holder: LeaseHolder<T>): TaskRecord<T, R> | undefined {
    const record = this.#first(holder);
    if (record !== undefined) this.remove(record);
    return record;
  }

  /** Takes out everything. */
  takeAll(): TaskRecord<T, R>[] {
    const records = [...this.#all()].flatMap((lane) => [...lane.records]);
    for (const record of records) record.heapIndex = -1;
    this.#fresh.clear();
    this.#refused.clear();
    this.#size = 0;
    return records.sort((a, b) => a.sequence - b.sequence);
  }

  /** Forgets that this holder, which is gone, rejected anything, so that lanes do not multiply as workers come and go. */
  forget(holderId: string): void {
    for (const lane of [...this.#refused.values()]) {
      if (!lane.refusedBy.has(holderId)) continue;
      this.#drop(lane);
      for (const record of [...lane.records]) {
        record.forgetRefusal(holderId);
        this.#laneOf(record).records.push(record);
      }
    }
  }

  #first(holder: LeaseHolder<T>): TaskRecord<T, R> | undefined {
    let first: TaskRecord<T, R> | undefined;
    for (const lane of this.#all()) {
      const candidate = lane.records.peek();
      if (candidate === undefined || !lane.isFor(holder)) continue;
      if (first === undefined || candidate.sequence < first.sequence) first = candidate;
    }
    return first;
  }

  *#all(): Generator<Lane<T, R>> {
    yield* this.#fresh.values();
    yield* this.#refused.values();
  }

  #laneOf({ type, refusedBy }: TaskRecord<T, R>): Lane<T, R> {
    if (refusedBy.size > 0) return findOrCreate(this.#refused, refusedKey(type, refusedBy), type, refusedBy);
    return findOrCreate(this.#fresh, type, type, refusedBy);
  }

  #drop(lane: Lane<T, R>): void {
    if (lane.refusedBy.size > 0) this.#refused.delete(refusedKey(lane.type, lane.refusedBy));
    else this.#fresh.delete(lane.type);
  }
}

function refusedKey(type: string | undefined, refusedBy: ReadonlySet<string>): string {
  return JSON.stringify([type ?? null, ...[...refusedBy].sort()]);
}

function findOrCreate<Key, T, R>(
  lanes: Map<Key, Lane<T, R>>,
  key: Key,
  type: string | undefined,
  refusedBy: ReadonlySet<string>,
): Lane<T, R> {
  const found = lanes.get(key);
  if (found !== undefined) return found;
  const lane = new Lane<T, R>(type, refusedBy);
  lanes.set(key, lane);
  return lane;
}
