// What the tests ask for, on either side of a thread's border.

export type FaultTask =
  | { readonly type: 'square'; readonly n: number }
  /** Holds its slot until {@link GATES} carries this name; tells of progress once it listens. */
  | { readonly type: 'hold'; readonly gate: string }
  /** Computes for so long, without a pause. */
  | { readonly type: 'compute'; readonly ms: number }
  | { readonly type: 'misbehave'; readonly how: Misbehaviour };

export type Misbehaviour = keyof typeof misbehaviours;

/** Who did it, and what came of it. */
export interface FaultResult {
  readonly by: string;
  readonly value: unknown;
}

/** The channel by which a page opens gates for tasks in it and in its threads. */
export const GATES = 'gates';

/** What goes wrong in a thread. */
export const misbehaviours = {
  spin: () => {
    for (;;);
  },
  closeItself: () => {
    self.close();
    return new Promise(() => {});
  },
  closeItselfAndReturn: () => {
    self.close();
    return 'the last words';
  },
  throwOutside: () => {
    setTimeout(() => {
      throw new Error('thrown outside of the task');
    });
    return new Promise(() => {});
  },
  throwFunction: () => {
    throw () => {};
  },
  throwHostObject: () => {
    throw new MessageChannel().port1;
  },
  throwWithCause: () => {
    throw new RangeError('out of range', { cause: { port: new MessageChannel().port1, call() {} } });
  },
  returnFunction: () => () => {},
  returnHostObject: () => new MessageChannel().port1,
  returnPromiseInside: () => ({ later: Promise.resolve(1) }),
} as const satisfies Record<string, () => unknown>;
