// Which workers are there, and which of them may have the same tasks.
import { labelsKey } from '../labels.ts';
import type { Lane } from './lane.ts';
import { type Choice, NO_TASKS, Profile, View } from './profile.ts';
import type { LeaseHolder } from './scheduler.ts';
import type { TaskRecord } from './task-record.ts';

/** Who has refused more unsettled tasks than this gets a profile of its own, as to pass over them would take long. */
const MAX_PASSED_OVER = 32;

/** A holder that is there. */
interface Member<T, R> {
  readonly holder: LeaseHolder<T>;
  /** The sequence numbers of the unsettled tasks that it has refused; there once it has refused one. */
  refused: Set<number> | undefined;
  /** That of all with the same `accepts` and labels. */
  readonly profile: Profile<T, R>;
  choice: Choice<T, R>;
}

/** What profiles are of interest for. */
export interface ProfilesContext<T, R> {
  /** All lanes. */
  lanes(): Iterable<Lane<T, R>>;
  /** The last holder has gone that might have this lane's tasks. */
  orphaned(lane: Lane<T, R>): void;
  /** A holder chooses from something else now. */
  moved(holder: LeaseHolder<T>, choice: Choice<T, R>): void;
}

/**
 * The holders, by what they may have. Those with the same `accepts` and labels share a profile, and if they have refused
 * the same unsettled tasks, a view of it: so that to refuse costs no look at all lanes, and a task which everybody refuses
 * does not make each of them a kind of its own.
 */
export class Profiles<T, R> {
  readonly #context: ProfilesContext<T, R>;
  readonly #members = new Map<string, Member<T, R>>();
  readonly #profiles = new Map<string, Profile<T, R>>();
  readonly #views = new Map<string, View<T, R>>();

  constructor(context: ProfilesContext<T, R>) {
    this.#context = context;
  }

  /** How many holders are there. */
  get holders(): number {
    return this.#members.size;
  }

  has(holderId: string): boolean {
    return this.#members.has(holderId);
  }

  /** What this holder chooses from. @throws if it is not there */
  choiceOf(holder: LeaseHolder<T>): Choice<T, R> {
    const member = this.#members.get(holder.id);
    if (member === undefined) throw new Error(`${holder.id} has not joined`);
    return member.choice;
  }

  /** There is a new lane, with something in it. */
  consider(lane: Lane<T, R>): void {
    const refusals = new Map<Profile<T, R>, number>();
    for (const holderId of lane.refusedBy) {
      const profile = this.#members.get(holderId)?.profile;
      if (profile !== undefined) refusals.set(profile, (refusals.get(profile) ?? 0) + 1);
    }
    for (const profile of this.#profiles.values()) profile.consider(lane, refusals.get(profile) ?? 0);
  }

  join(holder: LeaseHolder<T>): void {
    if (this.#members.has(holder.id)) return;
    const profile = this.#enterProfile(profileKey(holder), holder);
    this.#members.set(holder.id, { holder, refused: undefined, profile, choice: profile });
  }

  /** A holder is gone; there must be no lane any more that it has refused. */
  leave(holder: LeaseHolder<T>): void {
    const member = this.#members.get(holder.id);
    if (member === undefined) return;
    this.#members.delete(holder.id);
    this.#quit(member);
    this.#exitProfile(member.profile);
  }

  /** A holder has refused this task. */
  refused(holder: LeaseHolder<T>, record: TaskRecord<T, R>): void {
    const member = this.#members.get(holder.id);
    if (member === undefined) return;
    member.refused ??= new Set();
    member.refused.add(record.sequence);
    this.#reassign(member);
  }

  /** A task is settled: that it was refused does not matter any more. */
  settled(record: TaskRecord<T, R>): void {
    for (const holderId of record.refusedBy) {
      const member = this.#members.get(holderId);
      if (member?.refused?.delete(record.sequence)) this.#reassign(member);
    }
  }

  #reassign(member: Member<T, R>): void {
    const { holder, refused = NO_TASKS, profile, choice } = member;
    const isAlone = choice !== profile && choice instanceof Profile;
    // Who has a profile of its own keeps it until nothing is left that sets it apart: its refusals come and go.
    if (isAlone && refused.size > 0) return;
    this.#quit(member);
    if (refused.size === 0) member.choice = profile;
    else if (refused.size <= MAX_PASSED_OVER) member.choice = this.#enterView(profile, refused);
    else member.choice = this.#enterProfile(`${profile.key} of ${holder.id}`, holder, refused);
    this.#context.moved(holder, member.choice);
  }

  /** A holder chooses from something else from now on, or is gone. */
  #quit({ choice, profile }: Member<T, R>): void {
    if (choice instanceof View) this.#exitView(choice);
    else if (choice !== profile) this.#exitProfile(choice);
  }

  #enterView(profile: Profile<T, R>, refused: ReadonlySet<number>): View<T, R> {
    const key = `${profile.key} but ${[...refused].sort().join()}`;
    const view = this.#views.get(key) ?? new View<T, R>(key, profile, new Set(refused));
    this.#views.set(key, view);
    view.holders += 1;
    return view;
  }

  /** A view ends with its last holder. */
  #exitView(view: View<T, R>): void {
    view.holders -= 1;
    if (view.holders === 0) this.#views.delete(view.key);
  }

  #enterProfile(key: string, holder: LeaseHolder<T>, without?: ReadonlySet<number>): Profile<T, R> {
    let profile = this.#profiles.get(key);
    if (profile === undefined) {
      profile = new Profile<T, R>(key, holder, without);
      this.#profiles.set(key, profile);
      for (const lane of this.#context.lanes()) profile.consider(lane, 0);
    }
    profile.enter();
    return profile;
  }

  /** A profile ends with its last holder. */
  #exitProfile(profile: Profile<T, R>): void {
    profile.exit();
    if (profile.holders > 0) {
      for (const lane of profile.exhausted) if (lane.isOrphaned) this.#context.orphaned(lane);
      return;
    }
    this.#profiles.delete(profile.key);
    for (const lane of this.#context.lanes()) {
      if (!lane.places.has(profile)) continue;
      profile.forget(lane);
      if (lane.isOrphaned) this.#context.orphaned(lane);
    }
  }
}

/** The same for holders who may have the same tasks, but for what they have refused. */
export function profileKey<T>({ accepts, labels }: Pick<LeaseHolder<T>, 'accepts' | 'labels'>): string {
  return `${accepts === undefined ? '' : JSON.stringify([...accepts].sort())} ${labelsKey(labels)}`;
}
