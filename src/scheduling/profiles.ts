// Which workers are there, and which of them may have the same tasks.
import { labelsKey } from '../labels.ts';
import { type Lane, Profile } from './lane.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { TaskRecord } from './task-record.ts';

/** Who has refused no more unsettled tasks than this shares a profile with those who have refused the same. */
const MAX_SHARED_REFUSALS = 32;

/** A holder that is there. */
interface Member<T, R> {
  readonly holder: LeaseHolder<T>;
  /** The sequence numbers of the unsettled tasks that it has refused. */
  readonly refused: Set<number>;
  profile: Profile<T, R>;
}

/** What profiles are of interest for. */
export interface ProfilesContext<T, R> {
  /** All lanes. */
  lanes(): Iterable<Lane<T, R>>;
  /** The last profile has gone that might have this lane's tasks. */
  orphaned(lane: Lane<T, R>): void;
  /** A holder has another profile now. */
  moved(holder: LeaseHolder<T>, profile: Profile<T, R>): void;
}

/**
 * The holders, by what they may have. Those with the same `accepts` and labels that have refused the same unsettled tasks
 * share a profile: so that a task which everybody refuses does not make each of them a kind of its own.
 */
export class Profiles<T, R> {
  readonly #context: ProfilesContext<T, R>;
  readonly #members = new Map<string, Member<T, R>>();
  readonly #profiles = new Map<string, Profile<T, R>>();

  constructor(context: ProfilesContext<T, R>) {
    this.#context = context;
  }

  /** All kinds of holders that are there. */
  [Symbol.iterator](): IterableIterator<Profile<T, R>> {
    return this.#profiles.values();
  }

  /** How many holders are there. */
  get holders(): number {
    return this.#members.size;
  }

  has(holderId: string): boolean {
    return this.#members.has(holderId);
  }

  /** Those who may have the same tasks as this holder. @throws if it is not there */
  of(holder: LeaseHolder<T>): Profile<T, R> {
    const member = this.#members.get(holder.id);
    if (member === undefined) throw new Error(`${holder.id} has not joined`);
    return member.profile;
  }

  join(holder: LeaseHolder<T>): void {
    if (this.#members.has(holder.id)) return;
    const profile = this.#enter(profileKey(holder), holder, new Set());
    this.#members.set(holder.id, { holder, refused: new Set(), profile });
  }

  /** Returns whether it was there. */
  leave(holder: LeaseHolder<T>): boolean {
    const member = this.#members.get(holder.id);
    if (member === undefined) return false;
    this.#members.delete(holder.id);
    this.#exit(member.profile);
    return true;
  }

  /** A holder has refused this task. */
  refused(holder: LeaseHolder<T>, record: TaskRecord<T, R>): void {
    const member = this.#members.get(holder.id);
    if (member === undefined) return;
    member.refused.add(record.sequence);
    this.#reassign(member);
  }

  /** A task is settled: that it was refused does not matter any more. */
  settled(record: TaskRecord<T, R>): void {
    for (const holderId of record.refusedBy) {
      const member = this.#members.get(holderId);
      if (member?.refused.delete(record.sequence)) this.#reassign(member);
    }
  }

  #reassign(member: Member<T, R>): void {
    const { holder, refused, profile } = member;
    const common = profileKey(holder);
    const ownKey = `${common} of ${holder.id}`;
    // Who has a profile of its own keeps it until nothing is left that sets it apart: its refusals come and go.
    const isAlone = refused.size > MAX_SHARED_REFUSALS || (profile.key === ownKey && refused.size > 0);
    const key = refused.size === 0 ? common : isAlone ? ownKey : `${common} but ${[...refused].sort().join()}`;
    if (key === profile.key) return;
    member.profile = this.#enter(key, holder, isAlone ? refused : new Set(refused));
    this.#exit(profile);
    this.#context.moved(holder, member.profile);
  }

  #enter(key: string, holder: LeaseHolder<T>, refused: ReadonlySet<number>): Profile<T, R> {
    let profile = this.#profiles.get(key);
    if (profile === undefined) {
      profile = new Profile<T, R>(key, holder, refused);
      this.#profiles.set(key, profile);
      for (const lane of this.#context.lanes()) profile.consider(lane);
    }
    profile.holders += 1;
    return profile;
  }

  /** A holder has left its profile, which ends with the last. */
  #exit(profile: Profile<T, R>): void {
    profile.holders -= 1;
    if (profile.holders > 0) return;
    this.#profiles.delete(profile.key);
    for (const lane of this.#context.lanes()) {
      if (!lane.places.has(profile)) continue;
      profile.forget(lane);
      if (lane.places.size === 0) this.#context.orphaned(lane);
    }
  }
}

/** The same for holders who may have the same tasks, but for what they have refused. */
export function profileKey<T>({ accepts, labels }: Pick<LeaseHolder<T>, 'accepts' | 'labels'>): string {
  return `${accepts === undefined ? '' : JSON.stringify([...accepts].sort())} ${labelsKey(labels)}`;
}
