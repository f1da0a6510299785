// Reads the guide: what its pages say are programs, and what they say those print.

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const GUIDE = fileURLToPath(new URL('../../docs/guide', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

/** Blocks in these languages are code, and no code goes untested. */
const LANGUAGES_OF_FILES = ['ts', 'js', 'html'];

/** A block between fences; the line of the opening one says what it is, as in ```` ```ts file=main.ts ````. */
interface Block {
  readonly line: number;
  readonly language: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
}

/** A program of a page: the name of its file, and what it prints. */
export interface Program {
  readonly file: string;
  /** A line `…` stands for any lines, and a `…` within a line for any characters. */
  readonly output: string;
}

/** A page of the guide. */
export interface Page {
  /** E.g. `retry-what-fails`. */
  readonly name: string;
  /** By name. */
  readonly files: ReadonlyMap<string, string>;
  /** Those under one heading run side by side; one list after the other. */
  readonly runs: readonly (readonly Program[])[];
}

/** Every page but the index, by name. @throws Error that names the page and line which it cannot make sense of */
export async function readPages(): Promise<Page[]> {
  const names = (await readdir(GUIDE)).filter((name) => name.endsWith('.md') && name !== 'README.md').sort();
  return Promise.all(
    names.map(async (name) => parsePage(name.slice(0, -3), await readFile(`${GUIDE}/${name}`, 'utf8'))),
  );
}

/** A page beside the guide, such as `performance`. @throws Error that names the line which it cannot make sense of */
export async function readDocument(name: string): Promise<Page> {
  return parsePage(name, await readFile(`${DOCS}/${name}.md`, 'utf8'), `docs/${name}.md`);
}

/** @throws Error that names the page and line which it cannot make sense of */
export function parsePage(name: string, markdown: string, path = `docs/guide/${name}.md`): Page {
  const files = new Map<string, string>();
  const runs: Program[][] = [];
  for (const blocks of sectionsOf(path, markdown)) {
    const programs: Program[] = [];
    for (const block of blocks) {
      const refuse = (why: string): never => {
        throw new Error(`${path}:${block.line}: ${why}`);
      };
      const file = block.attributes.get('file');
      const program = block.attributes.get('output');
      if (file !== undefined) {
        if (files.has(file)) refuse(`a second ${file}`);
        files.set(file, block.text);
      } else if (program !== undefined) {
        if (!files.has(program)) refuse(`the output of ${program}, which does not stand above it`);
        programs.push({ file: program, output: block.text });
      } else if (LANGUAGES_OF_FILES.includes(block.language)) {
        refuse('code that nothing tests: it has no `file=`');
      }
    }
    if (programs.length > 0) runs.push(programs);
  }
  if (runs.length === 0) throw new Error(`${path} has no program: none has an \`output=\``);
  return { name, files, runs };
}

/** The blocks of each section, in order. */
function sectionsOf(path: string, markdown: string): Block[][] {
  const sections: Block[][] = [[]];
  const lines = markdown.split('\n');
  for (let start = 0; start < lines.length; start++) {
    const line = lines[start] ?? '';
    if (line.startsWith('#')) sections.push([]);
    const fence = /^```(\S+) *(.*)$/.exec(line);
    if (fence === null) continue;
    const end = lines.indexOf('```', start + 1);
    if (end < 0) throw new Error(`${path}:${start + 1}: does not end`);
    sections.at(-1)?.push({
      line: start + 1,
      language: fence[1] ?? '',
      attributes: new Map((fence[2] ?? '').split(' ').map((attribute) => splitOnce(attribute))),
      text: `${lines.slice(start + 1, end).join('\n')}\n`,
    });
    start = end;
  }
  return sections;
}

function splitOnce(attribute: string): [string, string] {
  const [name = '', ...value] = attribute.split('=');
  return [name, value.join('=')];
}

/** What an output block stands for, whole. */
export function patternOf(output: string): RegExp {
  const patterns = output
    .trimEnd()
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\n)*' : `${line.split('…').map(literally).join('.*')}\n`));
  return new RegExp(`^${patterns.join('')}$`);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
