// Workers that connect over TLS, to a server with a certificate of its owner's.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCertificate } from './certificate.ts';
import { Cluster } from './cluster.ts';

const SCRIPT = new URL('./fixtures/wss-worker.mjs', import.meta.url);

/** A master behind TLS, and the certificate to trust, as a file. */
async function startSecure(): Promise<{ cluster: Cluster<number, number>; url: string; authority: string }> {
  const { key, cert } = createCertificate();
  const folder = await mkdtemp(join(tmpdir(), 'taskdist-wss-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, cert);
  const server = createServer({ key, cert });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const cluster = new Cluster<number, number>({ server });
  await cluster.master.start();
  return { cluster, url: `wss://localhost:${(server.address() as AddressInfo).port}`, authority };
}

/** Starts a worker; returns what came of its first try to connect. */
async function startWorker(url: string, env: Record<string, string> = {}): Promise<[message: string, ChildProcess]> {
  const child = fork(SCRIPT, [url], { env: { ...process.env, ...env } });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    await exited;
  });
  const [message] = await once(child, 'message');
  return [message, child];
}

describe('a worker in Node', () => {
  it('works over wss for a master whose certificate it was told to trust', async () => {
    const { cluster, url, authority } = await startSecure();
    const [message] = await startWorker(url, { NODE_EXTRA_CA_CERTS: authority });
    expect(message).toBe('connected');
    await expect(cluster.scheduler.put(1)).resolves.toBe(2);
  });

  it('does not connect to one whose certificate nobody vouches for', async () => {
    const { cluster, url } = await startSecure();
    const [message] = await startWorker(url);
    expect(message).toMatch(/self-signed certificate/);
    expect(cluster.master.workers()).toEqual([]);
  });
});
