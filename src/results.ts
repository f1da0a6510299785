// Which result a task gives, where each type of task has its own. Types only.

declare const results: unique symbol;

/**
 * Stands for the results of a scheduler whose tasks are told apart by `type`, in place of one type of result for all:
 * `M` says for each `type` what its tasks give.
 *
 * ```ts
 * type Task = { type: 'fibonacci'; n: number } | { type: 'tile'; x: number; y: number };
 * const scheduler = new FifoScheduler<Task, ResultMap<{ fibonacci: number; tile: Uint8Array }>>();
 * const n: number = await scheduler.put({ type: 'fibonacci', n: 10 });
 * ```
 *
 * There is no such value: a mere marker, so that an object which is a result itself is never taken for a map.
 */
export interface ResultMap<M extends object> {
  readonly [results]: M;
}

/**
 * What a task of type `T` gives: what the map says for its `type`, if `R` is a {@link ResultMap}, else `R`. For a union
 * of tasks, the union of what they give; `unknown` for a task that the map does not have, or that has no `type`.
 */
export type ResultOf<R, T> = R extends ResultMap<infer M> ? ResultIn<M, T> : R;

/** What any task can give: the union of what the map says, if `R` is a {@link ResultMap}, else `R`. */
export type AnyResultOf<R> = R extends ResultMap<infer M> ? M[keyof M] : R;

/** What the plain map `M` says for a task of type `T`, as in {@link ResultOf}. */
export type ResultIn<M, T> = T extends { readonly type: infer Type extends string }
  ? Type extends keyof M
    ? M[Type]
    : unknown
  : unknown;

/** The values of `type` that the tasks of a union have. */
export type TaskTypeOf<T> = T extends { readonly type: infer Type extends string } ? Type : never;

/**
 * The tasks of a union that have this `Type`, if `R` is a {@link ResultMap}; else all of them, as their type does not
 * matter. As a parameter's type it lets the compiler find `Type` in an argument, and still refuses what a task must not
 * have, which it would not if it was to find the type of the whole argument.
 */
export type TaskOf<T, R, Type> = T & (R extends ResultMap<object> ? WithType<T, Type> : unknown);

type WithType<T, Type> = T extends { readonly type: string } ? { readonly type: Type } : T;
