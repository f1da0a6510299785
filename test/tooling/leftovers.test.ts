// Shows that the tests which are to leave nothing behind fail if they do, whatever it is, and say what.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandOf } from '../../scripts/child.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Report {
  testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
}

/** What was said of each of the tests, by their names. */
async function runLeaving(): Promise<Map<string, string>> {
  const args = [commandOf('vitest'), 'run', `--config=${at('fixtures/vitest.config.ts')}`, '--reporter=json'];
  // It ends with code 1, as it should.
  const report = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, (_error, stdout) => resolve(stdout));
  });
  const { testResults } = JSON.parse(report) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return new Map(results.map(({ title, status, failureMessages }) => [title, `${status} ${failureMessages.join()}`]));
}

const said = await runLeaving();

describe('a test that must leave nothing behind', () => {
  it('passes if it does not', () => {
    expect(said.get('nothing')).toBe('passed ');
  });

  it.each([
    ['a socket', '- a socket to a server, made at'],
    ['a server', '- a server that listens, made at'],
    ['a thread', '- a thread, made at'],
    ['a child process', '- a child process, made at'],
    ['a timer', '- a timer, made at'],
    ['something else that is active', '- an active resource: UDPWrap, 1 more'],
    ['a listener of the process', '- a listener of the process for SIGUSR2, 1 more'],
    ['a listener of a server', '- a listener of a server for upgrade, 1 more'],
    ['a rejection', '- a rejection that nobody caught: Error: nobody waits for it'],
    ['an exception', '- an exception that nobody caught: Error: nobody catches it'],
  ])('fails if it leaves behind %s', (what, line) => {
    expect(said.get(what)).toContain('failed');
    expect(said.get(what)).toContain(line);
  });
});

describe('the integration tests', () => {
  it('all leave nothing behind', async () => {
    const folder = at('../integration/');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
    const unwatched = [];
    for (const name of names) {
      // The cluster imports the other.
      if (!/from '\.\/cluster\.ts'|import '\.\/nothing-left\.ts'/.test(await readFile(`${folder}${name}`, 'utf8')))
        unwatched.push(name);
    }
    expect(names.length).toBeGreaterThan(0);
    expect(unwatched).toEqual([]);
  });
});
