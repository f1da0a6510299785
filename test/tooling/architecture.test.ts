// Shows that the lint rules of the architecture fire: a rule that is misspelt, or overridden, would only fall silent.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandOf } from '../../scripts/child.mjs';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const IMPORT = 'lint/style/noRestrictedImports';
const GLOBAL = 'lint/style/noRestrictedGlobals';
const PROPERTY = 'lint/nursery/noJsRestrictedProperties';

/** Folder or file → what it must not import. */
const FORBIDDEN_IMPORTS: Record<string, string[]> = {
  'src/protocol/x.ts': ['../scheduling/y.ts', '../connection/y.ts', '../platform/y.ts', 'node:fs', 'ws', '../index.ts'],
  'src/scheduling/x.ts': [
    '../index.ts',
    '../fifo-scheduler.ts',
    '../protocol/y.ts',
    '../master/y.ts',
    '../platform/y.ts',
    'node:timers',
    'comlink',
  ],
  'src/connection/x.ts': [
    '../scheduling/y.ts',
    '../master/y.ts',
    '../worker/y.ts',
    '../platform/y.ts',
    'isomorphic-ws',
  ],
  'src/master/x.ts': ['../worker/y.ts', '../sandbox/y.ts', '../platform/y.ts', 'node:http', 'ws'],
  'src/master/master.ts': ['../worker/y.ts', '../testing/y.ts', 'node:http', 'ws'],
  'src/master/listener.ts': ['../worker/y.ts', '../platform/y.ts'],
  'src/master/tokens.ts': ['../worker/y.ts', '../platform/y.ts', 'node:http', 'ws'],
  'src/worker/x.ts': ['../master/y.ts', '../scheduling/y.ts', '../sandbox/y.ts', '../platform/y.ts', 'isomorphic-ws'],
  'src/worker/worker.ts': ['../master/y.ts', '../scheduling/y.ts', 'isomorphic-ws'],
  'src/sandbox/x.ts': ['../connection/y.ts', '../protocol/y.ts', '../worker/y.ts', 'ws', 'node:worker_threads'],
  'src/platform/x.ts': ['../protocol/y.ts', '../worker/y.ts', '../testing/y.ts'],
  'src/testing/x.ts': ['node:http', 'ws', 'comlink'],
  'src/errors.ts': ['./index.ts', './protocol/y.ts', './testing/y.ts', './platform/y.ts', 'node:util'],
  'src/index.ts': ['node:http', 'ws', './testing/index.ts'],
};

const ALLOWED_IMPORTS: Record<string, string[]> = {
  'src/protocol/x.ts': ['./y.ts', '../errors.ts', '../ports.ts'],
  'src/scheduling/x.ts': ['./y.ts', '../errors.ts', '../options.ts'],
  'src/connection/x.ts': ['./y.ts', '../protocol/y.ts', '../events.ts'],
  'src/master/x.ts': ['./y.ts', '../protocol/y.ts', '../scheduling/y.ts', '../connection/y.ts'],
  'src/master/master.ts': ['./y.ts', '../scheduling/y.ts', '../platform/y.ts'],
  'src/master/listener.ts': ['./y.ts', 'node:http', 'ws'],
  'src/master/tokens.ts': ['./y.ts', '../protocol/y.ts', 'node:crypto'],
  'src/worker/x.ts': ['./y.ts', '../protocol/y.ts', '../connection/y.ts'],
  'src/worker/worker.ts': ['./y.ts', '../connection/y.ts', '../platform/y.ts'],
  'src/sandbox/x.ts': ['./y.ts', '../errors.ts', '../platform/y.ts', 'comlink'],
  'src/platform/x.ts': ['./y.ts', '../ports.ts', 'node:worker_threads', 'isomorphic-ws'],
  'src/testing/x.ts': [
    './y.ts',
    '../ports.ts',
    '../master/y.ts',
    '../worker/y.ts',
    '../scheduling/y.ts',
    '../fifo-scheduler.ts',
  ],
  'src/errors.ts': ['./options.ts'],
  'src/index.ts': ['./errors.ts', './master/y.ts', './platform/y.ts'],
};

/** What reaches for ambient time, chance or I/O → the rule that says no, outside src/platform. */
const AMBIENT: Record<string, string> = {
  'Date.now()': PROPERTY,
  'new Date()': 'plugin',
  'Date()': 'plugin',
  'Math.random()': PROPERTY,
  ...Object.fromEntries(
    [
      'performance.now()',
      'setTimeout(() => {}, 1)',
      'setInterval(() => {}, 1)',
      'setImmediate(() => {})',
      'clearTimeout(1)',
      'clearInterval(1)',
      'new MessageChannel()',
      "new WebSocket('ws://localhost')",
      'crypto.randomUUID()',
      'process.pid',
      'navigator.onLine',
      'document.hidden',
      'window.origin',
      'globalThis.origin',
    ].map((expression) => [expression, GLOBAL]),
  ),
};

const HARMLESS = [
  'queueMicrotask(() => {})',
  'new AbortController()',
  'new TextEncoder()',
  'structuredClone(1)',
  'new Date(0)',
];

interface Diagnostic {
  category: string;
  location: { path: string; start: { line: number } };
}

/** One statement a line, so that a line number names a statement. */
const importsOf = (paths: string[]) => paths.map((path) => `import '${path}';`).join('\n');
const constantsOf = (expressions: string[]) =>
  expressions.map((expression, index) => `export const c${index} = ${expression};`).join('\n');

/** Lints files that exist only for this, and returns the rules that fired at each `path:line`. */
async function lint(files: Record<string, string>): Promise<(path: string, line: number) => string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskdist-lint-'));
  try {
    for (const file of ['biome.jsonc', '.gitignore', 'scripts/lint']) {
      await cp(join(PROJECT, file), join(folder, file), { recursive: true });
    }
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    const args = [commandOf('@biomejs/biome', 'biome'), 'lint', '--reporter=json', '--max-diagnostics=none'];
    // Biome ends with code 1 where it finds something, which here it should.
    const report = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: folder }, (_error, stdout) => resolve(stdout));
    });
    const { diagnostics } = JSON.parse(report) as { diagnostics: Diagnostic[] };
    return (path, line) =>
      diagnostics
        .filter(({ location }) => location.path === path && location.start.line === line)
        .map(({ category }) => category);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const texts = (imports: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(imports).map(([path, imported]) => [path, importsOf(imported)]));

const statements = (imports: Record<string, string[]>) =>
  Object.entries(imports).flatMap(([path, all]) => all.map((imported, index) => ({ path, imported, line: index + 1 })));

const forbidden = await lint(texts(FORBIDDEN_IMPORTS));
const allowed = await lint(texts(ALLOWED_IMPORTS));

describe('imports', () => {
  it.each(statements(FORBIDDEN_IMPORTS))('keeps $path from importing $imported', ({ path, line }) => {
    expect(forbidden(path, line)).toContain(IMPORT);
  });

  it.each(statements(ALLOWED_IMPORTS))('lets $path import $imported', ({ path, line }) => {
    expect(allowed(path, line)).toEqual([]);
  });
});

const ambient = Object.keys(AMBIENT);
const globals = await lint({
  'src/worker/ambient.ts': constantsOf(ambient),
  'src/platform/ambient.ts': constantsOf(ambient),
  'src/worker/harmless.ts': constantsOf(HARMLESS),
  'src/platform/console.ts': 'console.log(1);',
});

describe('globals', () => {
  it.each(ambient.map((code, index) => ({ code, line: index + 1 })))('forbids $code', ({ code, line }) => {
    expect(globals('src/worker/ambient.ts', line)).toEqual([AMBIENT[code]]);
  });

  it.each(ambient.map((code, index) => ({ code, line: index + 1 })))('allows $code in src/platform', ({ line }) => {
    expect(globals('src/platform/ambient.ts', line)).toEqual([]);
  });

  it.each(HARMLESS.map((code, index) => ({ code, line: index + 1 })))('allows $code everywhere', ({ line }) => {
    expect(globals('src/worker/harmless.ts', line)).toEqual([]);
  });

  it('forbids the console, in src/platform too', () => {
    expect(globals('src/platform/console.ts', 1)).toEqual(['lint/suspicious/noConsole']);
  });
});

const CARELESS: Record<string, { code: string; rule: string }> = {
  'src/worker/any.ts': {
    code: 'export const same = (value: any) => value;',
    rule: 'lint/suspicious/noExplicitAny',
  },
  'src/worker/assertion.ts': {
    code: 'export const size = (text?: string) => text!.length;',
    rule: 'lint/style/noNonNullAssertion',
  },
  'src/worker/extension.ts': {
    code: "import './any';",
    rule: 'lint/correctness/useImportExtensions',
  },
  'src/worker/floating.ts': {
    code: 'const work = async () => {}; work();',
    rule: 'lint/nursery/noFloatingPromises',
  },
  'src/worker/cycle.ts': {
    code: "import { b } from './cycle-back.ts'; export const a = () => b;",
    rule: 'lint/suspicious/noImportCycles',
  },
};
const careless = await lint({
  ...Object.fromEntries(Object.entries(CARELESS).map(([path, { code }]) => [path, code])),
  'src/worker/cycle-back.ts': "import { a } from './cycle.ts'; export const b = () => a;",
});

describe('strictness', () => {
  it.each(Object.entries(CARELESS))('forbids what %s does', (path, { rule }) => {
    expect(careless(path, 1)).toContain(rule);
  });
});
