// Nothing that the scripts start outlives them, however they end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const CHILD = JSON.stringify(new URL('../../scripts/child.mjs', import.meta.url).href);
const PATIENCE = { timeout: 20_000 };

let folder: string;
/** A script that runs another with `runNode`, which writes its process id down and would then live on. */
let script: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskdist-child-'));
  script = join(folder, 'outer.mjs');
  const inner = join(folder, 'inner.mjs');
  await writeFile(
    inner,
    `import { renameSync, writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(join(folder, 'draft'))}, String(process.pid));
     renameSync(${JSON.stringify(join(folder, 'draft'))}, ${JSON.stringify(join(folder, 'pid'))});
     setInterval(() => {}, 1000);`,
  );
  await writeFile(
    script,
    `import { runNode } from ${CHILD};
     await runNode([${JSON.stringify(inner)}]);`,
  );
});

afterEach(async () => {
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''));
  if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function innerPid(): Promise<number> {
  const path = join(folder, 'pid');
  await expect.poll(() => readFile(path, 'utf8').catch(() => ''), PATIENCE).not.toBe('');
  return Number(await readFile(path, 'utf8'));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === 'win32')('what runNode runs', () => {
  const { npm_lifecycle_event: _, ...byHand } = process.env;

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends when we get %s, and we with it',
    async (signal) => {
      const outer = spawn(process.execPath, [script], { stdio: 'ignore', env: byHand });
      const exited = once(outer, 'exit');
      const pid = await innerPid();
      expect(isAlive(pid)).toBe(true);
      outer.kill(signal);
      expect(await exited).toEqual([130, null]);
      expect(isAlive(pid)).toBe(false);
    },
    60_000,
  );

  it('ends when npm has left us without a word', async () => {
    // As npm does it: a shell between the two, which dies of the signal and does not hand it on.
    const env = { ...byHand, npm_lifecycle_event: 'test' };
    const shell = spawn('sh', ['-c', '"$0" "$1"; true', process.execPath, script], { stdio: 'ignore', env });
    const pid = await innerPid();
    shell.kill('SIGTERM');
    await expect.poll(() => isAlive(pid), PATIENCE).toBe(false);
  });
});
