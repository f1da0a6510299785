// What a master asks of a scheduler: which task, to whom, in what order. In memory, or behind a store.
import type { TaskdistError } from '../errors.ts';
import type { Labels } from '../labels.ts';

/** From when an attempt's `timeout` counts: its start, or the last progress it reported. */
export type TimeoutFrom = 'start' | 'progress';

/** The right of one worker's connection to run one attempt. A new object for each attempt. */
export interface Lease<T> {
  /** The identity of the task. */
  readonly key: string;
  /** Which execution of the task this is, counted from 1; if it is verified, of those by the same principal. */
  readonly attempt: number;
  readonly task: T;
  /** False once it has ended, e.g. as its task was aborted: do not send it any more. */
  readonly isLive: boolean;
  /** True for a second execution beside one that takes long. */
  readonly isSpeculative: boolean;
  /** How long the attempt may run, in milliseconds; undefined: as the master says. */
  readonly timeout: number | undefined;
  readonly timeoutFrom: TimeoutFrom;
  /** What its holder finds it by, and sets when it is handed on; 0 at first. */
  number: number;
  /** How many holders, at most, may not have the task, as they have declined it; those that are gone need not be counted. */
  readonly refusals: number;
  /**
   * Whether this holder could have the task: the same for those of the same `accepts` and labels that have not declined it,
   * unless it is verified, and they have a part in it.
   */
  suits(holder: LeaseHolder<T>): boolean;
}

/** Why the scheduler takes a lease back: its task was aborted or expired, or another attempt was first. */
export type RevokeReason = 'aborted' | 'superseded';

/** Who takes leases: a master's session with one worker. */
export interface LeaseHolder<T> {
  /** Unique among the holders of a scheduler, and never used again. */
  readonly id: string;
  /** For people: the name in errors. */
  readonly name: string;
  /**
   * Who stands behind it, as far as that is known: several connections of one person have the same. Results of one principal
   * count as one. Undefined: nobody but itself. Does not change.
   */
  readonly principal?: string | undefined;
  /** Whether its results are accepted unchecked, where others' are verified. Does not change. @defaultValue false */
  readonly isTrusted?: boolean | undefined;
  /** The values of `task.type` it takes; undefined: all tasks. Does not change. */
  readonly accepts: ReadonlySet<string> | undefined;
  /** What tasks can require. Does not change. */
  readonly labels: Labels | undefined;
  /** How many tasks it could start at once; the others that it takes would wait there. */
  readonly idleSlots: number;
  /**
   * Has one slot rest for so many milliseconds, as it gave nothing that counts: it takes less for the time being. Of several, so many are
   * believed: `slots`, at least 1. Absent: it takes as ever.
   */
  rest?(ms: number, slots: number): void;
  /** A lease it holds is void from now on. */
  revoke(lease: Lease<T>, reason: RevokeReason): void;
}

/** Who hears that a `take` is called back; as with any EventTarget, a function or an object. */
export type TakeListener = (() => void) | { handleEvent(): void };

/**
 * Says that a `take` is called back. An AbortSignal is one, reduced to what that needs: a master makes one for each worker
 * that waits, and gives something that takes less memory. Whoever needs an AbortSignal, as for `fetch`, makes a controller
 * that this one aborts.
 */
export interface TakeSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: TakeListener, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: TakeListener): void;
}

/** Why a lease is given back without a result. */
export type Release =
  /** It had not started, or was handed back in good order: as if it had never been granted. */
  | { readonly kind: 'returned' }
  /** It had not started, and was asked back, mostly for another holder; else the same. */
  | { readonly kind: 'recalled' }
  /** The connection ended while the attempt ran. Counts towards `maxDeliveries`. */
  | { readonly kind: 'lost'; readonly error: TaskdistError }
  /** The worker declined; it is not offered this task again. */
  | { readonly kind: 'rejected' };

/** Whether it was this call that ended the lease; a scheduler over a store knows later. */
export type Ended = boolean | Promise<boolean>;

/**
 * Decides order, retries and settlement. All of `complete`, `fail`, `discard` and `release` end the lease, and do
 * nothing for one that has ended before.
 */
export interface TaskScheduler<T, R> {
  /** A master starts to serve this scheduler. @throws TaskdistError if another one does. */
  open(): void;
  /** The master stops: every unsettled `put` rejects with `reason`, and so does every later one until `open`. */
  close(reason: TaskdistError): void;
  /** A holder is there, and may take. */
  join(holder: LeaseHolder<T>): void;
  /** This holder is gone, and holds nothing any more. */
  leave(holder: LeaseHolder<T>): void;
  /**
   * Leases this holder 1 to `max` tasks: at once, if there are any for it, else when there are.
   * Resolves to none when the signal aborts. One call at a time per holder. Who has idle slots goes before those who only
   * stock up.
   */
  take(holder: LeaseHolder<T>, max: number, signal: TakeSignal): Lease<T>[] | Promise<Lease<T>[]>;
  /** A holder that waits in `take` wants up to `max` tasks now, and its `idleSlots` may be other ones than they were. */
  loadChanged(holder: LeaseHolder<T>, max: number): void;
  /** The attempt has begun to run. */
  started(lease: Lease<T>): void;
  /** The attempt had not begun to run after all: it waits, and `started` will be told again. */
  turnedBack(lease: Lease<T>): void;
  /** The attempt, which runs, has something to tell. */
  progressed(lease: Lease<T>, value: unknown): void;
  /** The attempt gave a result. */
  complete(lease: Lease<T>, result: R): Ended;
  /** The attempt failed, and costs one of the task's attempts. */
  fail(lease: Lease<T>, error: Error): Ended;
  /** No worker can ever run this task: its `put` rejects with `error` at once. */
  discard(lease: Lease<T>, error: Error): Ended;
  /** The lease is given back. */
  release(lease: Lease<T>, release: Release): Ended;
}
