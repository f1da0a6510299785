// When work is done again, and when it is not.

import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprint } from '../../scripts/fingerprint.mjs';
import { isInstalled } from '../../scripts/installation.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskdist-building-'));
  await mkdir(join(folder, 'node_modules'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('fingerprint', () => {
  it('changes with the content and with the name of a file, and with nothing else', async () => {
    const file = join(folder, 'src', 'deep', 'a.ts');
    await mkdir(join(folder, 'src', 'deep'), { recursive: true });
    await writeFile(file, 'one');
    const first = fingerprint(['src'], folder);

    await writeFile(file, 'one');
    expect(fingerprint(['src'], folder)).toBe(first);
    await writeFile(file, 'two');
    expect(fingerprint(['src'], folder)).not.toBe(first);
    await writeFile(file, 'one');
    await rename(file, join(folder, 'src', 'deep', 'b.ts'));
    expect(fingerprint(['src'], folder)).not.toBe(first);
  });

  it('takes a file that is not there for absent', () => {
    expect(fingerprint(['nothing'], folder)).toBe(fingerprint([], folder));
  });
});

describe('isInstalled', () => {
  const ws = { version: '8.0.0', integrity: 'sha512-a' };
  const forAnotherPlatform = { version: '1.0.0', integrity: 'sha512-b', optional: true };

  const write = (path: string, packages: object) => writeFile(join(folder, path), JSON.stringify({ packages }));

  it('is false before the first install', async () => {
    await write('package-lock.json', { '': {} });
    expect(isInstalled(folder)).toBe(false);
  });

  it('does not miss packages for other platforms', async () => {
    await write('package-lock.json', { '': {}, 'node_modules/ws': ws, 'node_modules/mac': forAnotherPlatform });
    await write('node_modules/.package-lock.json', { 'node_modules/ws': ws });
    expect(isInstalled(folder)).toBe(true);
  });

  it.each([
    ['has been added', {}],
    ['has another version', { 'node_modules/ws': { ...ws, version: '7.0.0' } }],
    ['has other content', { 'node_modules/ws': { ...ws, integrity: 'sha512-c' } }],
  ])('is false when a package %s', async (_change, installed) => {
    await write('package-lock.json', { '': {}, 'node_modules/ws': ws });
    await write('node_modules/.package-lock.json', installed);
    expect(isInstalled(folder)).toBe(false);
  });
});
