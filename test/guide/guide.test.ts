// The guide's programs are run as they stand in its pages, and print what stands there.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Page, type Program, parsePage, patternOf, readDocument, readPages } from './pages.ts';
import { Visitor } from './visitor.ts';
import { Workspace } from './workspace.ts';

/** A page has room for what matters. */
const MAX_LINES = 45;

const guide = await readPages();
const pages = [...guide, await readDocument('performance')];

let workspace: Workspace;
let complaints: string;

beforeAll(async () => {
  workspace = await Workspace.create(pages);
  complaints = (await workspace.compile(pages)).stdout;
});

afterAll(() => workspace?.dispose());

describe('the guide', () => {
  it('is of programs that type-check', () => {
    expect(complaints).toBe('');
  });

  it('is of short programs', () => {
    const files = pages.flatMap(({ name, files }) => [...files].map(([file, text]) => ({ name, file, text })));
    expect(files.filter(({ text }) => text.split('\n').length > MAX_LINES)).toEqual([]);
  });

  it('has every page in its index', async () => {
    const index = await readFile(new URL('../../docs/guide/README.md', import.meta.url), 'utf8');
    expect(guide.map(({ name }) => name).filter((name) => !index.includes(`](${name}.md)`))).toEqual([]);
  });
});

// Together, as starting a process is mostly waiting; `maxConcurrency` bounds it.
describe.concurrent.each(pages.map((page): [string, Page] => [page.name, page]))('%s', (_name, page) => {
  it.for(page.runs.map((programs) => [programs.map(({ file }) => file).join(' and '), programs] as const))(
    'runs %s, which prints what the page says',
    async ([, programs], { expect }) => {
      const run = await workspace.prepare(page);
      await using visitor = page.files.has('index.html') ? await Visitor.open(run.folder, run.port) : undefined;
      const outcomes = await Promise.all(programs.map(({ file }) => run.start(file)));
      expect(outcomes).toEqual(programs.map(outcomeOf));
      expect(visitor?.errors ?? []).toEqual([]);
    },
  );
});

function outcomeOf({ output }: Program): unknown {
  return { code: 0, stdout: output.includes('…') ? expect.stringMatching(patternOf(output)) : output, stderr: '' };
}

describe('a page', () => {
  const block = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\`\n`;

  it.each([
    ['without a program', block('ts file=main.ts', 'main();'), 'docs/guide/x.md has no program'],
    ['with code that nothing tests', block('ts', 'main();'), 'docs/guide/x.md:1: code that nothing tests'],
    ['with the output of nothing', block('text output=main.ts', '1'), 'docs/guide/x.md:1: the output of main.ts'],
    ['with a block that does not end', '\n```ts file=main.ts\n', 'docs/guide/x.md:2: does not end'],
    [
      'with two files of one name',
      block('ts file=main.ts', '') + block('ts file=main.ts', ''),
      'docs/guide/x.md:4: a second main.ts',
    ],
  ])('%s is refused', (_what, markdown, message) => {
    expect(() => parsePage('x', markdown)).toThrow(message);
  });

  it('has programs that run together, those under one heading, and one after the other', () => {
    const program = (file: string): string => block(`ts file=${file}`, file) + block(`text output=${file}`, file);
    const { runs, files } = parsePage('x', `${program('a.ts')}${program('b.ts')}## Next\n${program('c.ts')}`);
    expect(runs.map((programs) => programs.map(({ file }) => file))).toEqual([['a.ts', 'b.ts'], ['c.ts']]);
    expect(files.get('c.ts')).toBe('c.ts\n');
  });
});

describe('what a program prints', () => {
  it.each([
    ['1.5 s\n', '1.5 s\n', true],
    ['1.5 s\n', '1x5 s\n', false],
    ['… s\n', '1.5 s\n', true],
    ['… s\n', '1.5 ms\n', false],
    ['…\nend\n', 'a\nb\nend\n', true],
    ['…\nend\n', 'end\n', true],
    ['…\nend\n', 'a\nend\nb\n', false],
  ])('as %j may be %j: %j', (output, printed, isAsSaid) => {
    expect(patternOf(output).test(printed)).toBe(isAsSaid);
  });
});
