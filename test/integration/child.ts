// A master or a worker in a process of its own, which a test can kill and stop, and talks to by messages.
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What a child tells of, with what belongs to it. */
export type Told = readonly [what: string, ...details: unknown[]];

export class Child {
  readonly #process: ChildProcess;
  /** All that it has told, in its order. */
  readonly told: Told[] = [];
  readonly #waiting: (() => void)[] = [];

  /** Starts a script of the fixtures, which may have so many files and sockets open. It is killed when the test ends. */
  constructor(script: string, options: object, maxOpenFiles?: number) {
    const path = fileURLToPath(new URL(`./fixtures/${script}.mjs`, import.meta.url));
    const settings: ForkOptions = { execArgv: ['--expose-gc'], serialization: 'advanced' };
    this.#process = fork(path, [JSON.stringify(options)], { ...settings, ...within(maxOpenFiles) });
    const exited = once(this.#process, 'exit');
    this.#process.on('message', (message) => {
      // Our own fixtures send nothing else.
      this.told.push(message as Told);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    onTestFinished(async () => {
      this.#process.kill('SIGKILL');
      await exited;
    });
  }

  tell(...message: Told): void {
    this.#process.send(message);
  }

  /** Its end is not told to anybody. Resolves when it is gone. */
  async kill(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** It stands still until it is told to {@link goOn}. */
  standStill(): void {
    this.#process.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process.kill('SIGCONT');
  }

  /** It stands still for so long: that is the fault, not a wait for something. */
  async standStillFor(ms: number): Promise<void> {
    this.standStill();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.goOn();
  }

  /** The first that it tells of this, from the beginning, or the so manieth. */
  async first(what: string, count = 1): Promise<Told> {
    for (;;) {
      const found = this.all(what)[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** All that it has told of this. */
  all(what: string): Told[] {
    return this.told.filter(([each]) => each === what);
  }
}

/** A limit is for a shell to set: it becomes the process. */
function within(maxOpenFiles: number | undefined): ForkOptions {
  if (maxOpenFiles === undefined) return {};
  return { execPath: '/bin/sh', execArgv: ['-c', `ulimit -n ${maxOpenFiles} && exec "$0" "$@"`, process.execPath] };
}
