// The Node worker that the server starts by itself: a process of its own, so that the server's event loop stays free.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WORKER_SCRIPT = fileURLToPath(new URL('./worker.js', import.meta.url));

/** How long it may take over its goodbye. */
const STOP_MS = 3000;

export class OwnWorker {
  readonly #process: ChildProcess;
  #isStopping = false;

  constructor(masterUrl: string, threads: number) {
    const args = ['--master', masterUrl, '--threads', String(threads), '--name', 'Beside the server'];
    // Over the channel of `fork` it also notices when the server is gone without a goodbye.
    this.#process = fork(WORKER_SCRIPT, args);
    this.#process.on('exit', (code, signal) => {
      if (!this.#isStopping) {
        console.error(`The server's own worker has ended (${signal ?? `exit code ${code}`}).`);
      }
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
      return;
    }
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}
