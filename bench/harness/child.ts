// The processes that take part: started by the bench, called by it, and ended with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const START_LIMIT_MS = 30_000;
const CALL_LIMIT_MS = 5 * 60_000;
/** How long a process may take to end by itself. A profile is written in that time. */
const END_LIMIT_MS = 10_000;

export interface ChildOptions {
  /** What Node itself is told, e.g. `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How long one call may take; then the process is killed, and the call rejects. @defaultValue 5 minutes */
  readonly callLimitMs?: number;
}

/** What a process that is called must answer with. */
type Answer<Call> = Call extends (...args: never[]) => infer R ? Awaited<R> : never;
type Arguments<Call> = Call extends (...args: infer A) => unknown ? A : never;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Messages of a child: it is there, or has answered a call. */
export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

export interface CallMessage {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** One process, whose functions can be called. `Calls` is the type of the object that it gives to `serve`. */
export class Child<Calls extends object> implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #callLimitMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #calls = 0;

  private constructor(name: string, process: ChildProcess, callLimitMs: number) {
    this.name = name;
    this.#process = process;
    this.#callLimitMs = callLimitMs;
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        for (const { reject } of this.#pending.values()) reject(new Error(`${name} ${how}`));
        this.#pending.clear();
        resolve();
      };
      process.once('error', (error) => end(error.message));
      process.once('exit', (code, signal) => end(`ended with ${signal ?? `code ${code}`} in the middle of a call`));
    });
    process.on('message', (message: ChildMessage) => this.#receive(message));
  }

  /** Starts one of `processes/`, and waits until it can be called. */
  static async start<Calls extends object>(
    name: string,
    { nodeOptions = [], env = {}, callLimitMs = CALL_LIMIT_MS }: ChildOptions = {},
  ): Promise<Child<Calls>> {
    const script = fileURLToPath(new URL(`../processes/${name}.js`, import.meta.url));
    // What it prints is no part of the table.
    const process_ = spawn(process.execPath, [...nodeOptions, script], {
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, ...env },
    });
    const child = new Child<Calls>(name, process_, callLimitMs);
    try {
      await child.#wait(READY, START_LIMIT_MS, 'start');
    } catch (error) {
      child.kill();
      throw error;
    }
    return child;
  }

  /** Calls a function of the process, with what JSON can carry. */
  call<Name extends keyof Calls & string>(name: Name, ...args: Arguments<Calls[Name]>): Promise<Answer<Calls[Name]>> {
    const id = ++this.#calls;
    const answer = this.#wait(id, this.#callLimitMs, name);
    this.#process.send({ id, name, args } satisfies CallMessage, (error) => {
      if (error) this.#settle(id)?.reject(error);
    });
    // `Calls` is what the process has been started for: its own module says so.
    return answer as Promise<Answer<Calls[Name]>>;
  }

  /** Lets the process end, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.kill(), END_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #wait(id: number, limitMs: number, what: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(new Error(`${this.name} did not ${what} within ${limitMs / 1000} s`));
        this.kill();
      }, limitMs);
      this.#pending.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #receive(message: ChildMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#settle(READY)?.resolve(undefined);
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.value);
        break;
      case 'failure':
        this.#settle(message.id)?.reject(new Error(`${this.name}: ${message.message}`));
    }
  }
}

/** Stands for the call that nobody makes: to be there. */
const READY = 0;
