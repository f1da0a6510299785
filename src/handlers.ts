// A handler made of functions, one for each type of task.
import { InvalidOptionError } from './errors.ts';
import type { TaskContext, TaskFunction, TaskHandler } from './handler.ts';
import { expectKnown, expectObject, refuse } from './options.ts';
import type { ResultIn, ResultMap, TaskTypeOf } from './results.ts';

/** What a handler made by {@link handlers} has besides: `stop` and `getConcurrency`, as in {@link TaskHandler}. */
export type HandlersOptions = Pick<TaskHandler<unknown, unknown>, 'stop' | 'getConcurrency'>;

/** A function for each type of task, or for some: it takes the tasks of that type, and gives what `Results` says. */
export type TaskFunctions<T, Results extends object> = {
  readonly [Type in TaskTypeOf<T>]?: TaskFunction<
    MemberOf<T, Type>,
    ResultIn<PlainMap<Results>, { readonly type: Type }>
  >;
};

/** The members of a union that can have this type; `Extract` would lose those that can have others too. */
type MemberOf<T, Type> = T extends { readonly type: infer Own } ? (Type extends Own ? T : never) : never;

type PlainMap<Results> = Results extends ResultMap<infer M> ? M : Results;

/** Functions whose parameters say themselves what they take. */
type AnnotatedFunctions = { readonly [type: string]: (task: never, context: TaskContext) => unknown };

/** What the functions take; those without a parameter take anything of their type. */
type TasksOf<Functions extends AnnotatedFunctions> = {
  [Type in keyof Functions]: Parameters<Functions[Type]> extends []
    ? { readonly type: Type }
    : Parameters<Functions[Type]>[0];
}[keyof Functions];

/** Refuses a function whose tasks have a `type`, and not the one that it is for. */
type ForTheirTypes<Functions extends AnnotatedFunctions> = {
  readonly [Type in keyof Functions]: Parameters<Functions[Type]>[0] extends { readonly type: infer Own extends string }
    ? string extends Type
      ? unknown
      : Type extends Own
        ? unknown
        : (task: { readonly type: Type }, context: TaskContext) => unknown
    : unknown;
};

/**
 * Makes a handler of functions, one for each type of task: a task goes to the function that its `type` names. The
 * handler `accepts` those types, so that a worker is given no others; one that it gets all the same, it rejects.
 *
 * The types of tasks and results are given, as to a scheduler, or are those of the functions:
 *
 * ```ts
 * handlers<Task, Results>({ fibonacci: (task) => fibonacci(task.n), tile: (task, context) => render(task, context.signal) });
 * handlers({ fibonacci: (task: Fibonacci) => fibonacci(task.n) });
 * ```
 *
 * `Results` is a {@link ResultMap}, or what is in one.
 * @throws InvalidOptionError
 */
export function handlers<Functions extends AnnotatedFunctions>(
  functions: Functions & ForTheirTypes<Functions>,
  options?: HandlersOptions,
): TaskHandler<TasksOf<Functions>, Awaited<ReturnType<Functions[keyof Functions]>>>;
export function handlers<T extends { readonly type: string }, Results extends object>(
  functions: TaskFunctions<T, Results>,
  options?: HandlersOptions,
): TaskHandler<T, ResultIn<PlainMap<Results>, T>>;
export function handlers(functions: object, options: HandlersOptions = {}): TaskHandler<unknown, unknown> {
  // A map, as an object inherits properties that a task's type could name.
  const byType = checkFunctions(functions);
  const { stop, getConcurrency } = checkOptions(options);
  return {
    accepts: Object.freeze([...byType.keys()]),
    doTask(task, context) {
      const type = typeOf(task);
      const run = type === undefined ? undefined : byType.get(type);
      if (run !== undefined) return run.call(functions, task, context);
      return context.reject(
        `No handler for tasks ${type === undefined ? 'without a type' : `of type ${JSON.stringify(type)}`}`,
      );
    },
    ...(stop === undefined ? {} : { stop: () => stop.call(options) }),
    ...(getConcurrency === undefined ? {} : { getConcurrency: () => getConcurrency.call(options) }),
  };
}

function checkFunctions(functions: object): ReadonlyMap<string, TaskFunction<unknown, unknown>> {
  expectObject('handlers', functions);
  const byType = new Map<string, TaskFunction<unknown, unknown>>();
  for (const type of Object.keys(functions)) {
    const run: unknown = Reflect.get(functions, type);
    if (!isTaskFunction(run)) refuse(`handlers.${type}`, 'a function', run);
    byType.set(type, run);
  }
  if (byType.size === 0)
    throw new InvalidOptionError('Expected `handlers` to have a function for at least one type, got none');
  return byType;
}

function checkOptions(options: HandlersOptions): HandlersOptions {
  expectObject('options', options);
  expectKnown('handlers', options, ['stop', 'getConcurrency']);
  const { stop, getConcurrency } = options;
  if (stop !== undefined && typeof stop !== 'function') refuse('stop', 'a function', stop);
  if (getConcurrency !== undefined && typeof getConcurrency !== 'function') {
    refuse('getConcurrency', 'a function', getConcurrency);
  }
  return options;
}

/** What it takes and gives is a matter of the types alone. */
function isTaskFunction(value: unknown): value is TaskFunction<unknown, unknown> {
  return typeof value === 'function';
}

function typeOf(task: unknown): string | undefined {
  if (typeof task !== 'object' || task === null || !('type' in task)) return undefined;
  return typeof task.type === 'string' ? task.type : undefined;
}
