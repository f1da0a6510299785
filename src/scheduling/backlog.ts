// The backlog: all queued tasks, and the first of them for whoever asks.
import { labelsKey } from '../labels.ts';
import { Lane, Profile } from './lane.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { TaskRecord } from './task-record.ts';

/** Learns of tasks that nobody who is there may have. */
export interface OrphanListener<T, R> {
  /** The last of those has left who may have the tasks of this lane. */
  laneOrphaned(lane: Lane<T, R>): void;
  /** A task has come into a lane that nobody may have. */
  taskOrphaned(record: TaskRecord<T, R>, lane: Lane<T, R>): void;
  /** All tasks of a lane are in another one from now on; the same holders may have them as before, that is, nobody. */
  laneMerged(lane: Lane<T, R>, into: Lane<T, R>): void;
  /** No task is queued any more. */
  backlogEmptied(): void;
}

/** Empty lanes are kept for the next task of their kind, up to so many. */
const MAX_EMPTY_LANES = 256;

/**
 * All queued tasks. The first one that a worker may have costs O(log n), however long the backlog is, however many
 * kinds of tasks wait, and however many workers there are. A task that becomes the first of its kind costs that for each kind
 * of workers, that is, those with the same `accepts` and labels.
 */
export class Backlog<T, R> {
  readonly #lanes = new Map<string | undefined, Lane<T, R>>();
  readonly #profiles = new Map<string, Profile<T, R>>();
  readonly #profileOf = new Map<string, Profile<T, R>>();
  readonly #orphans: OrphanListener<T, R>;
  #emptyLanes = 0;
  #size = 0;

  constructor(orphans: OrphanListener<T, R>) {
    this.#orphans = orphans;
  }

  get size(): number {
    return this.#size;
  }

  /** How many lanes there are, empty ones included. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** How many tasks there are that nobody who is there may have. */
  get orphans(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) if (lane.places.size === 0) count += lane.records.size;
    return count;
  }

  /** The first task of all. */
  first(): TaskRecord<T, R> | undefined {
    let first: TaskRecord<T, R> | undefined;
    for (const { records } of this.#lanes.values()) {
      const candidate = records.peek();
      if (candidate !== undefined && (first === undefined || candidate.isBefore(first))) first = candidate;
    }
    return first;
  }

  /** A holder is there. */
  join(holder: LeaseHolder<T>): void {
    if (!this.#profileOf.has(holder.id)) this.#assign(holder, profileKey(holder), false);
  }

  /** A holder is gone; that it refused anything does not matter any more. */
  leave(holder: LeaseHolder<T>): void {
    const profile = this.#profileOf.get(holder.id);
    if (profile === undefined) return;
    this.#profileOf.delete(holder.id);
    this.#release(profile);
    for (const lane of [...this.#lanes.values()]) {
      if (!lane.refusedBy.has(holder.id)) continue;
      this.#drop(lane);
      this.#merge(lane);
    }
  }

  /** From now on this holder may refuse tasks that others like it may have. Returns whether it is alone only now. */
  isolate(holder: LeaseHolder<T>): boolean {
    const key = `${holder.id}: ${profileKey(holder)}`;
    const profile = this.#profileOf.get(holder.id);
    if (profile === undefined || profile.key === key) return false;
    this.#assign(holder, key, true);
    this.#release(profile);
    return true;
  }

  /** Those who may have the same tasks as this holder. @throws if it is not there */
  profileOf(holder: LeaseHolder<T>): Profile<T, R> {
    const profile = this.#profileOf.get(holder.id);
    if (profile === undefined) throw new Error(`${holder.id} has not joined`);
    return profile;
  }

  /** Puts a task at its place. */
  add(record: TaskRecord<T, R>): void {
    const lane = this.#insert(record);
    if (lane.places.size === 0) this.#orphans.taskOrphaned(record, lane);
  }

  /** Takes a queued task out. */
  remove(record: TaskRecord<T, R>): void {
    const { lane } = record;
    if (lane === undefined) return;
    record.lane = undefined;
    lane.records.remove(record);
    this.#size -= 1;
    if (this.#size === 0) this.#orphans.backlogEmptied();
    if (lane.records.size > 0) return;
    this.#emptyLanes += 1;
    if (this.#emptyLanes <= MAX_EMPTY_LANES) return;
    for (const each of [...this.#lanes.values()]) if (each.records.size === 0) this.#drop(each);
  }

  /** Takes out everything, in the order of the queue. */
  takeAll(): TaskRecord<T, R>[] {
    const records: TaskRecord<T, R>[] = [];
    for (const lane of [...this.#lanes.values()]) {
      this.#drop(lane);
      for (const record of lane.records) records.push(record);
    }
    for (const record of records) {
      record.heapIndex = -1;
      record.lane = undefined;
    }
    return records.sort((a, b) => (a.isBefore(b) ? -1 : 1));
  }

  /** Puts a task at its place, and returns its lane. */
  #insert(record: TaskRecord<T, R>): Lane<T, R> {
    record.keepRefusals((holderId) => this.#profileOf.has(holderId));
    const lane = this.#laneFor(record);
    if (lane.records.size === 0) this.#emptyLanes -= 1;
    lane.add(record);
    this.#size += 1;
    return lane;
  }

  /** Puts the tasks of a lane that was dropped to where they belong now, which is the same lane for all of them. */
  #merge(lane: Lane<T, R>): void {
    let into: Lane<T, R> | undefined;
    for (const record of [...lane.records]) into = this.#insert(record);
    // Who has left had refused them: those who may have them are the same as before.
    if (into !== undefined && into.places.size === 0) this.#orphans.laneMerged(lane, into);
  }

  #laneFor(record: TaskRecord<T, R>): Lane<T, R> {
    const key = laneKey(record);
    const found = this.#lanes.get(key);
    if (found !== undefined) return found;
    const lane = new Lane<T, R>(key, record);
    this.#lanes.set(key, lane);
    this.#emptyLanes += 1;
    for (const profile of this.#profiles.values()) profile.consider(lane);
    return lane;
  }

  #drop(lane: Lane<T, R>): void {
    for (const profile of [...lane.places.keys()]) profile.forget(lane);
    this.#lanes.delete(lane.key);
    this.#size -= lane.records.size;
    if (lane.records.size === 0) this.#emptyLanes -= 1;
  }

  #assign(holder: LeaseHolder<T>, key: string, isAlone: boolean): void {
    let profile = this.#profiles.get(key);
    if (profile === undefined) {
      profile = new Profile<T, R>(key, holder, isAlone);
      this.#profiles.set(key, profile);
      for (const lane of this.#lanes.values()) profile.consider(lane);
    }
    profile.holders += 1;
    this.#profileOf.set(holder.id, profile);
  }

  /** A holder has left its profile, which ends with the last. */
  #release(profile: Profile<T, R>): void {
    profile.holders -= 1;
    if (profile.holders > 0) return;
    this.#profiles.delete(profile.key);
    for (const lane of this.#lanes.values()) {
      if (!lane.places.has(profile)) continue;
      profile.forget(lane);
      if (lane.places.size === 0 && lane.records.size > 0) this.#orphans.laneOrphaned(lane);
    }
  }
}

/** The same for the tasks that the same holders may have. Most tasks have nothing but a type. */
function laneKey<T, R>({ type, terms, refusedBy }: TaskRecord<T, R>): string | undefined {
  if (terms.requiresKey === '' && refusedBy.size === 0) return type === undefined ? undefined : `type ${type}`;
  return JSON.stringify([type ?? null, terms.requiresKey, ...[...refusedBy].sort()]);
}

/** The same for holders who may have the same tasks, but for what they have refused. */
export function profileKey<T>({ accepts, labels }: Pick<LeaseHolder<T>, 'accepts' | 'labels'>): string {
  return `${accepts === undefined ? '' : JSON.stringify([...accepts].sort())} ${labelsKey(labels)}`;
}
