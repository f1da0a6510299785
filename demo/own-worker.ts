// The Node worker that the server starts by itself: a process of its own, so that the server's event loop stays free.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WORKER_SCRIPT = fileURLToPath(new URL('./worker.js', import.meta.url));

export class OwnWorker {
  readonly #process: ChildProcess;
  #isDraining = false;

  constructor(masterUrl: string, threads: number) {
    const args = ['--master', masterUrl, '--threads', String(threads), '--name', 'Beside the server'];
    // Over the channel of `fork` it also notices when the server is gone without a goodbye.
    this.#process = fork(WORKER_SCRIPT, args);
    this.#process.on('exit', (code, signal) => {
      if (!this.#isDraining) {
        console.error(`The server's own worker has ended (${signal ?? `exit code ${code}`}).`);
      }
    });
    // One that is told to stop at once takes this one with it, whatever it is doing.
    process.once('exit', () => this.#process.kill('SIGKILL'));
  }

  /** Resolves when it has computed what it runs, and has ended. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
      return;
    }
    const exited = once(this.#process, 'exit');
    // Not a signal: it may have had one from the terminal already, and a second one would stop it at once.
    if (this.#process.connected) {
      this.#process.disconnect();
    }
    await exited;
  }
}
