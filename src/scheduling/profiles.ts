// Which workers are there, and which of them may have the same tasks.
import { labelsKey } from '../labels.ts';
import { Groups } from './groups.ts';
import type { Lane } from './lane.ts';
import { principalOf, soleHolderOf } from './principal.ts';
import { type Choice, type Exclusion, NO_TASKS, Profile, View } from './profile.ts';
import type { LeaseHolder } from './scheduler.ts';
import { isFor, type TaskRecord } from './task-record.ts';

/**
 * Who has refused more unsettled tasks than this, or is barred from more lanes, gets a profile of its own, as to pass over
 * them would take long.
 */
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
  /** Those that this principal must not have. */
  barredFrom(principal: string): ReadonlySet<Lane<T, R>>;
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
  /** Those who are not alone with their principal, by it. */
  readonly #represented = new Groups<string, Member<T, R>>();

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

  /** The holder of this id, if it is there. */
  holderOf(holderId: string): LeaseHolder<T> | undefined {
    return this.#members.get(holderId)?.holder;
  }

  /** What this holder chooses from. @throws if it is not there */
  choiceOf(holder: LeaseHolder<T>): Choice<T, R> {
    const member = this.#members.get(holder.id);
    if (member === undefined) throw new Error(`${holder.id} has not joined`);
    return member.choice;
  }

  /** There is a new lane, with something in it. */
  consider(lane: Lane<T, R>): void {
    const excluded = new Set<Member<T, R>>();
    for (const holderId of lane.refusedBy) {
      const member = this.#members.get(holderId);
      if (member !== undefined) excluded.add(member);
    }
    for (const principal of lane.barred) for (const member of this.#membersOf(principal)) excluded.add(member);
    const refusals = new Map<Profile<T, R>, number>();
    for (const { profile, choice } of excluded) {
      for (const each of new Set([profile, profileOf(choice)])) refusals.set(each, (refusals.get(each) ?? 0) + 1);
    }
    for (const profile of this.#profiles.values()) profile.consider(lane, refusals.get(profile) ?? 0);
  }

  /** There is one lane more that this principal must not have, or one less. */
  barredChanged(principal: string, change: 'more' | 'less'): void {
    const { size } = this.#context.barredFrom(principal);
    // In between, those who stand behind it choose from what they did.
    const isOfInterest = change === 'less' ? size === 0 : size === 1 || size === MAX_PASSED_OVER + 1;
    if (!isOfInterest) return;
    for (const member of this.#membersOf(principal)) this.#reassign(member);
  }

  /** Whether somebody who is there would take this task, but must not. */
  isBarredFromSome({ barred, type, terms, refusedBy }: TaskRecord<T, R>): boolean {
    for (const principal of barred) {
      for (const { holder } of this.#membersOf(principal)) {
        if (!refusedBy.has(holder.id) && isFor(holder, type, terms.requires)) return true;
      }
    }
    return false;
  }

  join(holder: LeaseHolder<T>): void {
    if (this.#members.has(holder.id)) return;
    const profile = this.#enterProfile(profileKey(holder), holder);
    const member = { holder, refused: undefined, profile, choice: profile };
    this.#members.set(holder.id, member);
    if (holder.principal !== undefined) this.#represented.add(principalOf(holder), member);
    this.#reassign(member);
  }

  /** A holder is gone; there must be no lane any more that it has refused. */
  leave(holder: LeaseHolder<T>): void {
    const member = this.#members.get(holder.id);
    if (member === undefined) return;
    this.#members.delete(holder.id);
    if (holder.principal !== undefined) this.#represented.delete(principalOf(holder), member);
    const { choice, profile } = member;
    if (choice instanceof View) this.#exitView(choice);
    if (profileOf(choice) !== profile) this.#exitProfile(profileOf(choice), holder);
    this.#exitProfile(profile, holder);
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
    const principal = principalOf(holder);
    const barred = this.#context.barredFrom(principal).size;
    const isAlone = profileOf(choice) !== profile;
    // Who has a profile of its own keeps it until nothing is left that sets it apart: its refusals come and go.
    const isToBeAlone = refused.size + barred > (isAlone ? 0 : MAX_PASSED_OVER);
    const seesAll = isToBeAlone || refused.size + barred === 0;
    if (seesAll && choice instanceof Profile && isAlone === isToBeAlone) return;
    if (choice instanceof View) this.#exitView(choice);
    let base = profileOf(choice);
    if (isAlone && !isToBeAlone) {
      this.#exitProfile(base, holder);
      base = profile;
    } else if (isToBeAlone && !isAlone) {
      // What it refuses from now on is left out, too.
      member.refused ??= new Set();
      base = this.#enterProfile(`${profile.key} of ${holder.id}`, holder, { refused: member.refused, principal });
    }
    member.choice = seesAll ? base : this.#enterView(base, refused, barred === 0 ? undefined : principal);
    this.#context.moved(holder, member.choice);
  }

  #membersOf(principal: string): Iterable<Member<T, R>> {
    const holderId = soleHolderOf(principal);
    if (holderId === undefined) return this.#represented.get(principal);
    const member = this.#members.get(holderId);
    return member === undefined ? [] : [member];
  }

  /** `principal`: if there is anything that it must not have. */
  #enterView(profile: Profile<T, R>, refused: ReadonlySet<number>, principal: string | undefined): View<T, R> {
    const key = `${profile.key} but ${[...refused].sort().join()}${principal === undefined ? '' : ` as ${principal}`}`;
    const view = this.#views.get(key) ?? new View<T, R>(key, profile, new Set(refused), principal);
    this.#views.set(key, view);
    view.holders += 1;
    return view;
  }

  /** A view ends with its last holder. */
  #exitView(view: View<T, R>): void {
    view.holders -= 1;
    if (view.holders === 0) this.#views.delete(view.key);
  }

  #enterProfile(key: string, holder: LeaseHolder<T>, without?: Exclusion): Profile<T, R> {
    const barred = this.#context.barredFrom(principalOf(holder));
    let profile = this.#profiles.get(key);
    if (profile === undefined) {
      profile = new Profile<T, R>(key, holder, without);
      this.#profiles.set(key, profile);
      for (const lane of this.#context.lanes()) profile.consider(lane, barred.has(lane) ? 1 : 0);
    } else {
      for (const lane of barred) profile.bar(lane, 1);
    }
    profile.enter();
    return profile;
  }

  /** A profile ends with its last holder. */
  #exitProfile(profile: Profile<T, R>, holder: LeaseHolder<T>): void {
    for (const lane of this.#context.barredFrom(principalOf(holder))) profile.bar(lane, -1);
    profile.exit();
    if (profile.holders > 0) {
      for (const lane of profile.exhausted) this.#orphan(lane);
      return;
    }
    this.#profiles.delete(profile.key);
    for (const lane of this.#context.lanes()) {
      if (!lane.places.has(profile)) continue;
      profile.forget(lane);
      this.#orphan(lane);
    }
  }

  /** Nobody may have a lane's tasks any more, perhaps; if that is news, it is told. */
  #orphan(lane: Lane<T, R>): void {
    // Who has left may have been one who must not have them.
    if (lane.orphanedAtMs === undefined && lane.isOrphaned) this.#context.orphaned(lane);
  }
}

/** Whose profile it is that a holder chooses from. */
function profileOf<T, R>(choice: Choice<T, R>): Profile<T, R> {
  return choice instanceof View ? choice.profile : choice;
}

/** The same for holders who may have the same tasks, but for what they have refused. */
export function profileKey<T>({ accepts, labels }: Pick<LeaseHolder<T>, 'accepts' | 'labels'>): string {
  return `${accepts === undefined ? '' : JSON.stringify([...accepts].sort())} ${labelsKey(labels)}`;
}
