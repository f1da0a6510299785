// The backlog: all queued tasks, and the first of them for whoever asks.
import type { UnmatchedReason } from './events.ts';
import { Groups } from './groups.ts';
import { Lane } from './lane.ts';
import type { Choice } from './profile.ts';
import { Profiles } from './profiles.ts';
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

/** Learns what matters to holders that wait. */
export interface WaitingListener<T, R> {
  /** A holder chooses from something else now. */
  moved(holder: LeaseHolder<T>, choice: Choice<T, R>): void;
  /** A lane has got a new first task, which is not the one behind the last. */
  firstChanged(lane: Lane<T, R>): void;
  /** A lane is no more. */
  laneDropped(lane: Lane<T, R>): void;
}

/** Empty lanes are kept for the next task of their kind, up to so many. */
const MAX_EMPTY_LANES = 256;

/**
 * All queued tasks. The first one that a worker may have costs O(log n), however long the backlog is, however many
 * kinds of tasks wait, and however many workers there are. A task that becomes the first of its kind costs that for each kind
 * of workers that may have it, that is, those with the same `accepts` and labels.
 */
export class Backlog<T, R> {
  /** By type, those of tasks that have nothing else which says who may have them. */
  readonly #plainLanes = new Map<string | undefined, Lane<T, R>>();
  /** All others, by a key that is the same for the tasks that the same holders may have. */
  readonly #otherLanes = new Map<string, Lane<T, R>>();
  /** Those in which nothing is, and which nobody has refused; the one that was emptied longest ago first. */
  readonly #emptyLanes = new Set<Lane<T, R>>();
  /** By the ids of holders, the lanes whose tasks they have refused. */
  readonly #refusedLanes = new Groups<string, Lane<T, R>>();
  /** By principals, the lanes whose tasks they must not have. */
  readonly #barredLanes = new Groups<string, Lane<T, R>>();
  readonly #profiles: Profiles<T, R>;
  readonly #orphans: OrphanListener<T, R>;
  readonly #waiting: WaitingListener<T, R>;
  #size = 0;

  constructor(orphans: OrphanListener<T, R>, waiting: WaitingListener<T, R>) {
    this.#orphans = orphans;
    this.#waiting = waiting;
    this.#profiles = new Profiles<T, R>({
      lanes: () => this.#allLanes(),
      barredFrom: (principal) => this.#barredLanes.get(principal),
      orphaned: (lane) => {
        if (lane.records.size > 0) orphans.laneOrphaned(lane);
      },
      moved: (holder, choice) => waiting.moved(holder, choice),
    });
  }

  get size(): number {
    return this.#size;
  }

  /** The holder of this id, if it is there. */
  holderOf(holderId: string): LeaseHolder<T> | undefined {
    return this.#profiles.holderOf(holderId);
  }

  /** How many lanes there are, empty ones included. */
  get lanes(): number {
    return this.#plainLanes.size + this.#otherLanes.size;
  }

  /** How many tasks there are that nobody who is there may have. */
  get orphans(): number {
    let count = 0;
    for (const lane of this.#allLanes()) if (lane.isOrphaned) count += lane.records.size;
    return count;
  }

  /**
   * The task that has been ready for the longest time, be it behind others in the order. Looks at all lanes, and at the
   * tasks that did not come in order, so that nothing need be kept for it with every task.
   */
  longestReady(): TaskRecord<T, R> | undefined {
    let oldest: TaskRecord<T, R> | undefined;
    for (const lane of this.#allLanes()) {
      const record = lane.records.longestReady();
      if (oldest === undefined || (record !== undefined && record.readySinceMs < oldest.readySinceMs)) oldest = record;
    }
    return oldest;
  }

  /** A holder is there. */
  join(holder: LeaseHolder<T>): void {
    this.#profiles.join(holder);
  }

  /** A holder is gone; that it refused anything does not matter any more. */
  leave(holder: LeaseHolder<T>): void {
    const refused = [...this.#refusedLanes.get(holder.id)];
    for (const lane of refused) this.#drop(lane);
    this.#profiles.leave(holder);
    for (const lane of refused) this.#merge(lane);
  }

  /** A holder will not have this task. */
  refuse(holder: LeaseHolder<T>, record: TaskRecord<T, R>): void {
    const isQueued = record.lane !== undefined;
    if (isQueued) this.remove(record);
    record.noteRefusal(holder);
    this.#profiles.refused(holder, record);
    if (isQueued) this.add(record);
  }

  /** Others than before may have a task, or others not: if it is queued, it belongs elsewhere now. */
  relocate(record: TaskRecord<T, R>): void {
    const { lane } = record;
    if (lane === undefined || lane.key === (isPlain(record) ? undefined : laneKey(record))) return;
    this.remove(record);
    this.add(record);
  }

  /** Why nobody who is there may have this task. */
  whyUnmatched(record: TaskRecord<T, R>): UnmatchedReason {
    if (this.#profiles.isBarredFromSome(record)) return 'noOtherWorker';
    if (record.refusedBy.size > 0) return 'rejected';
    return this.#profiles.holders === 0 ? 'noWorkers' : 'notAccepted';
  }

  /** A task will not come back, whoever has refused it. */
  settled(record: TaskRecord<T, R>): void {
    this.#profiles.settled(record);
  }

  /** What this holder chooses from. @throws if it is not there */
  choiceOf(holder: LeaseHolder<T>): Choice<T, R> {
    return this.#profiles.choiceOf(holder);
  }

  /** Puts a task at its place. */
  add(record: TaskRecord<T, R>): void {
    const lane = this.#insert(record);
    if (lane.isOrphaned) this.#orphans.taskOrphaned(record, lane);
  }

  /** Takes a queued task out. */
  remove(record: TaskRecord<T, R>): void {
    const { lane } = record;
    if (lane === undefined) return;
    record.lane = undefined;
    lane.records.remove(record);
    this.#size -= 1;
    if (this.#size === 0) this.#orphans.backlogEmptied();
    if (lane.records.size === 0) this.#emptied(lane);
  }

  /** Takes out everything, in the order of the queue. */
  takeAll(): TaskRecord<T, R>[] {
    const records: TaskRecord<T, R>[] = [];
    for (const lane of [...this.#allLanes()]) {
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
    // Most tasks have none, and need no closure.
    if (record.refusedBy.size > 0) record.keepRefusals((holderId) => this.#profiles.has(holderId));
    let lane = this.#laneFor(record);
    if (lane === undefined) {
      lane = this.#createLane(record);
    } else {
      this.#emptyLanes.delete(lane);
      if (lane.add(record)) this.#waiting.firstChanged(lane);
    }
    this.#size += 1;
    return lane;
  }

  #laneFor(record: TaskRecord<T, R>): Lane<T, R> | undefined {
    return isPlain(record) ? this.#plainLanes.get(record.type) : this.#otherLanes.get(laneKey(record));
  }

  *#allLanes(): Generator<Lane<T, R>> {
    yield* this.#plainLanes.values();
    yield* this.#otherLanes.values();
  }

  #createLane(record: TaskRecord<T, R>): Lane<T, R> {
    const key = isPlain(record) ? undefined : laneKey(record);
    const lane = new Lane<T, R>(key, record);
    if (key === undefined) this.#plainLanes.set(lane.type, lane);
    else this.#otherLanes.set(key, lane);
    for (const holderId of lane.refusedBy) this.#refusedLanes.add(holderId, lane);
    for (const principal of lane.barred) this.#barredLanes.add(principal, lane);
    lane.add(record);
    this.#profiles.consider(lane);
    this.#waiting.firstChanged(lane);
    for (const principal of lane.barred) this.#profiles.barredChanged(principal, 'more');
    return lane;
  }

  /** The last task of a lane was taken out: it is kept for the next one, but not for ever. */
  #emptied(lane: Lane<T, R>): void {
    // Nothing would say any more which tasks of it were refused.
    if (lane.isForSome) {
      this.#drop(lane);
      return;
    }
    this.#emptyLanes.add(lane);
    const [oldest] = this.#emptyLanes;
    if (oldest !== undefined && this.#emptyLanes.size > MAX_EMPTY_LANES) this.#drop(oldest);
  }

  /** Puts the tasks of a lane that was dropped to where they belong now, which is the same lane for all of them. */
  #merge(lane: Lane<T, R>): void {
    let into: Lane<T, R> | undefined;
    for (const record of [...lane.records]) into = this.#insert(record);
    // Who has left had refused them: those who may have them are the same as before.
    if (into?.isOrphaned === true) this.#orphans.laneMerged(lane, into);
  }

  #drop(lane: Lane<T, R>): void {
    for (const profile of [...lane.places.keys()]) profile.forget(lane);
    if (lane.key === undefined) this.#plainLanes.delete(lane.type);
    else this.#otherLanes.delete(lane.key);
    this.#emptyLanes.delete(lane);
    for (const holderId of lane.refusedBy) this.#refusedLanes.delete(holderId, lane);
    this.#size -= lane.records.size;
    this.#waiting.laneDropped(lane);
    for (const principal of lane.barred) {
      this.#barredLanes.delete(principal, lane);
      this.#profiles.barredChanged(principal, 'less');
    }
  }
}

/** Whether nothing but its type says who may have a task. So it is with most. */
function isPlain<T, R>({ terms, refusedBy, barred }: TaskRecord<T, R>): boolean {
  return terms.requiresKey === '' && refusedBy.size === 0 && barred.size === 0;
}

/** The same for the tasks that the same holders may have. */
function laneKey<T, R>({ type, terms, refusedBy, barred }: TaskRecord<T, R>): string {
  return JSON.stringify([type ?? null, terms.requiresKey, [...barred].sort(), ...[...refusedBy].sort()]);
}
