// The documents point at each other: every relative link leads to a file, and to a heading if it names one.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const documents = [
  'README.md',
  ...(await readdir(join(PROJECT, 'docs'), { recursive: true }))
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

const CODE = /^```.*?^```$|`[^`\n]*`/gms;

/** What a document links to within the project. */
function linksOf(markdown: string): string[] {
  const links = markdown.replace(CODE, '').matchAll(/\]\(\s*([^)\s]+)\s*\)/g);
  return [...links].map(([, target]) => String(target)).filter((target) => !/^[a-z]+:/.test(target));
}

/** The names by which GitHub links to the headings of a document. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    String(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

async function isDead(from: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(PROJECT, from) : join(PROJECT, dirname(from), path);
  if (relative(PROJECT, file).startsWith('..') || !existsSync(file)) return true;
  return anchor !== undefined && !anchorsOf(await readFile(file, 'utf8')).includes(anchor);
}

async function deadLinksOf(from: string, markdown: string): Promise<string[]> {
  const links = linksOf(markdown);
  const areDead = await Promise.all(links.map((target) => isDead(from, target)));
  return links.filter((_, i) => areDead[i]);
}

describe('the documents', () => {
  it.each(documents)('%s has no dead link', async (path) => {
    expect(await deadLinksOf(path, await readFile(join(PROJECT, path), 'utf8'))).toEqual([]);
  });

  it('would not hide one', async () => {
    const markdown = '[a](nowhere.md) [b](guide/README.md#nothing) [c](guide/README.md) `[d](code)` [e](https://f.g/h)';
    expect(await deadLinksOf('docs/architecture.md', markdown)).toEqual(['nowhere.md', 'guide/README.md#nothing']);
  });
});
