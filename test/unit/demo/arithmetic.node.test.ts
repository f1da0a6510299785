// Holds what the map's first promise rests on: its pixels are computed with operations that every engine rounds alike.

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const DEMO = new URL('../../../demo/', import.meta.url);

async function codeOf(file: string): Promise<string> {
  const text = await readFile(new URL(file, DEMO), 'utf8');
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}

describe.each(['fractal.ts', 'palette.ts'])('demo/%s', (file) => {
  it('uses no power', async () => {
    expect(await codeOf(file)).not.toContain('**');
  });

  it('uses nothing of Math but sqrt and floor', async () => {
    const code = await codeOf(file);
    const uses = [...code.matchAll(/\bMath\b(?:\.(\w+))?/g)].map(([, name]) => name);
    expect(uses.filter((name) => name !== 'sqrt' && name !== 'floor')).toEqual([]);
  });
});
