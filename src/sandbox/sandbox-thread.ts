// One thread of a sandbox, from its start to its end, behind Comlink.
import { type Endpoint, type Remote, wrap } from 'comlink';
import { messageOf, TaskdistError } from '../errors.ts';
import { adoptThread, type Thread } from '../platform/threads.ts';
import type { Clock } from '../ports.ts';
import type { ThreadLike } from '../thread-like.ts';
import { type ProgressMessage, READY, type ThreadApi, type ThreadOutcome } from './thread-api.ts';

/** Until the handler is in place; then; and after the end. */
type ThreadState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'dead'; readonly error: TaskdistError };

/** What a thread tells its pool; either of the latter two at most once, and last. */
export interface ThreadEvents {
  booted(): void;
  /** It ended before it was ready, by itself. */
  bootFailed(error: TaskdistError): void;
  /** It is gone for any other reason. */
  ended(): void;
  /** The handler of that call tells how far it is. */
  progressed(call: number, value: unknown): void;
}

/** A thread and the calls to it. Comlink leaves calls pending for ever when their thread dies; here they reject. */
export class SandboxThread {
  readonly #thread: Thread;
  /** Held for as long as the thread lives: Comlink closes the port of a proxy that is collected. */
  readonly #remote: Remote<ThreadApi>;
  readonly #booted: Promise<void>;
  /** How to reject the calls that have no answer. */
  readonly #pending = new Set<(error: TaskdistError) => void>();
  readonly #events: ThreadEvents;
  #state: ThreadState = { kind: 'booting' };

  /** @throws TaskdistError `TASKDIST_SANDBOX_BOOT` if the factory fails */
  constructor(factory: () => ThreadLike, bootTimeoutMs: number, clock: Clock, events: ThreadEvents) {
    this.#thread = start(factory);
    this.#events = events;
    this.#thread.onFailure((reason) => this.#die(reason));
    this.#booted = this.#untilDeath(announcement(this.#thread.endpoint));
    this.#thread.endpoint.addEventListener('message', (event) => {
      const progress = progressOf(event);
      if (progress !== undefined) events.progressed(progress.call, progress.value);
    });
    this.#remote = wrap<ThreadApi>(this.#thread.endpoint);
    void this.#awaitBoot(bootTimeoutMs, clock);
  }

  get isReady(): boolean {
    return this.#state.kind === 'ready';
  }

  /**
   * Resolves when the thread is ready. Rejects with `TASKDIST_SANDBOX_BOOT` if it cannot be, and, as `run`, with
   * `TASKDIST_SANDBOX_CRASHED` if it ends later.
   */
  async boot(): Promise<void> {
    await this.#booted;
  }

  /** Runs a task. Rejects if the thread dies, and if the task cannot be cloned. */
  run(call: number, task: unknown, key: string, attempt: number): Promise<ThreadOutcome> {
    return this.#untilDeath<ThreadOutcome>(this.#remote.run(call, task, key, attempt));
  }

  /** Aborts the signal of a call; only a thread that is not busy hears it. */
  abort(call: number, reason: string): void {
    // The answer does not matter, nor that a dead thread gives none.
    void this.#remote.abort(call, reason);
  }

  /** Ends the thread; its calls reject. */
  async terminate(reason: string): Promise<void> {
    if (this.#state.kind !== 'dead') {
      this.#rejectPending(crashed(reason));
      this.#events.ended();
    }
    await this.#thread.terminate();
  }

  async #awaitBoot(bootTimeoutMs: number, clock: Clock): Promise<void> {
    const cancel = clock.setTimer(bootTimeoutMs, () =>
      this.#die(`it did not call exposeTaskHandler() within ${bootTimeoutMs} ms (\`bootTimeout\`)`),
    );
    try {
      await this.#booted;
      this.#state = { kind: 'ready' };
      this.#events.booted();
    } catch {
      // Told already, by whoever rejected it.
    } finally {
      cancel();
    }
  }

  #untilDeath<Result>(call: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#state.kind === 'dead') {
        reject(this.#state.error);
        return;
      }
      this.#pending.add(reject);
      call.then(resolve, reject).finally(() => this.#pending.delete(reject));
    });
  }

  /** The thread failed by itself. */
  #die(reason: string): void {
    if (this.#state.kind === 'dead') return;
    if (this.#state.kind === 'booting') {
      const error = new TaskdistError('TASKDIST_SANDBOX_BOOT', `A thread of the sandbox could not start: ${reason}`);
      this.#rejectPending(error);
      this.#events.bootFailed(error);
    } else {
      this.#rejectPending(crashed(reason));
      this.#events.ended();
    }
    // It may be broken rather than gone, as a Web Worker after an uncaught error.
    void this.#thread.terminate();
  }

  #rejectPending(error: TaskdistError): void {
    this.#state = { kind: 'dead', error };
    for (const reject of [...this.#pending]) reject(error);
    this.#pending.clear();
  }
}

function crashed(reason: string): TaskdistError {
  return new TaskdistError('TASKDIST_SANDBOX_CRASHED', `The thread that ran the task ended: ${reason}`);
}

/** Resolves when the thread says that it is ready. */
function announcement(endpoint: Endpoint): Promise<void> {
  return new Promise((resolve) => {
    const listener = (event: Event): void => {
      if (!('data' in event) || event.data !== READY) return;
      endpoint.removeEventListener('message', listener);
      resolve();
    };
    endpoint.addEventListener('message', listener);
  });
}

/** What the message says of progress; undefined if it is another one. The thread's code is the user's own. */
function progressOf(event: Event): ProgressMessage | undefined {
  const data: unknown = 'data' in event ? event.data : undefined;
  if (typeof data !== 'object' || data === null) return undefined;
  const { taskdist, call, value } = data as Partial<ProgressMessage>;
  return taskdist === 'progress' && typeof call === 'number' ? { taskdist, call, value } : undefined;
}

function start(factory: () => ThreadLike): Thread {
  const failed = (why: string, cause?: unknown): TaskdistError =>
    new TaskdistError('TASKDIST_SANDBOX_BOOT', `A thread of the sandbox could not start: ${why}`, { cause });
  let worker: ThreadLike;
  try {
    worker = factory();
  } catch (error) {
    throw failed(messageOf(error), error);
  }
  const thread = typeof worker === 'object' && worker !== null ? adoptThread(worker) : undefined;
  if (thread === undefined) throw failed('the factory did not return a Worker');
  return thread;
}
