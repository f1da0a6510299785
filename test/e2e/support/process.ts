// The demo's server and workers, as the processes they are for those who run them.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPTS = fileURLToPath(new URL('../../../dist-demo/server/', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Script = 'server.js' | 'worker.js';

export class DemoProcess {
  readonly #process: ChildProcess;
  readonly exited: Promise<Exit>;
  /** What it has printed so far. */
  output = '';

  constructor(script: Script, args: readonly string[]) {
    this.#process = spawn(process.execPath, [SCRIPTS + script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.exited = once(this.#process, 'close').then(([code, signal]) => ({ code, signal }) as Exit);
  }

  /** The first match of `pattern` in what it prints. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) {
        return match;
      }
      const isOver = await Promise.race([
        this.exited.then(() => true),
        once(this.#process.stdout ?? this.#process, 'data').then(() => false),
      ]);
      if (isOver && pattern.exec(this.output) === null) {
        throw new Error(`It ended without printing ${pattern}:\n${this.output}`);
      }
    }
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#process.kill(signal);
    return this.exited;
  }
}

export class Demo extends DemoProcess {
  /** E.g. `http://localhost:40123`. */
  origin = '';
  port = 0;

  constructor(args: readonly string[]) {
    super('server.js', ['--port', '0', ...args]);
  }

  /** Resolves when it listens; only then its address is known. */
  async listening(): Promise<void> {
    const [, origin = '', port] = await this.printed(/taskdist demo: (http:\/\/localhost:(\d+))/);
    this.origin = origin;
    this.port = Number(port);
  }
}
