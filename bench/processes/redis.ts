// Keeps a Redis server for the bench: on a free port of loopback, in a folder of its own, without persistence.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEnd, serve } from '../harness/serve.ts';

const calls = {
  /** Resolves to the port when the server takes connections. */
  async start(program: string): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), 'taskdist-bench-redis-'));
    const port = await freePort();
    const server = spawn(
      program,
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
      { stdio: ['ignore', 'pipe', 2] },
    );
    beforeEnd(async () => {
      await stop(server);
      rmSync(folder, { recursive: true, force: true });
    });
    await ready(server);
    return port;
  },
};

/** Redis takes no port 0 for "any". */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error(`Expected a port, got ${address}`);
  return address.port;
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stdout?.on('data', (bytes: Buffer) => {
      log += bytes.toString();
      if (log.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Redis ended with code ${code}: ${log}`)));
  });
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}

export type RedisHost = typeof calls;
serve(calls);
