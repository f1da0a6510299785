// How the browser to test with is found. Stand-ins are shell scripts, so this is for systems that have a shell.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from '../../scripts/browser.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskdist-browsers-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe.skipIf(process.platform === 'win32')('findBrowser', () => {
  it('takes TASKDIST_CHROMIUM before anything on the PATH', async () => {
    await program('chromium', 'echo Chromium 1');
    const chosen = await program('mine', 'echo Chromium 2');
    expect(await findBrowser({ PATH: folder, TASKDIST_CHROMIUM: chosen })).toBe(chosen);
  });

  it('names a TASKDIST_CHROMIUM that does not run instead of taking another', async () => {
    await program('chromium', 'echo Chromium 1');
    const broken = await program('broken', 'exit 127');
    await expect(findBrowser({ PATH: folder, TASKDIST_CHROMIUM: broken })).rejects.toThrow(broken);
  });

  it('passes over a stub that only says what to install', async () => {
    await program('chromium', 'echo "requires the chromium snap to be installed" >&2; exit 1');
    const chrome = await program('google-chrome', 'echo Google Chrome 1');
    expect(await findBrowser({ PATH: ['/nowhere', folder].join(delimiter) })).toBe(chrome);
  });
});
