// Two commands at once do not work on the same folder at once.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alone } from '../../scripts/turns.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskdist-turns-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('alone', () => {
  it('lets nobody begin before the other is done', async () => {
    const events: string[] = [];
    let finish = () => {};
    const first = alone(() => new Promise<void>((resolve) => (finish = resolve)), folder);
    const second = alone(async () => void events.push('second'), folder);
    events.push('first');
    finish();
    await Promise.all([first, second]);
    expect(events).toEqual(['first', 'second']);
  });

  it('gives the turn back when the work fails', async () => {
    await expect(
      alone(async () => {
        throw new Error('no room');
      }, folder),
    ).rejects.toThrow('no room');
    expect(await alone(async () => 'done', folder)).toBe('done');
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not wait for a process that is no more', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await writeFile(join(folder, 'turn'), String(pid));
    expect(await alone(async () => 'done', folder)).toBe('done');
  });
});
