// Finds a Chromium that runs here, and installs one where there is none.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandOf, run, runNode } from './child.mjs';

const COMMAND_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const APT_TIME_LIMIT_MS = 10 * 60_000;
const DOWNLOAD_TIME_LIMIT_MS = 10 * 60_000;

/**
 * The first browser found, without installing anything: TASKDIST_CHROMIUM, the system's, Playwright's own.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | undefined>} path of an executable that has been seen to run
 * @throws when TASKDIST_CHROMIUM is set to something that does not run: falling back would hide the mistake
 */
export async function findBrowser(env = process.env) {
  const chosen = env['TASKDIST_CHROMIUM'];
  if (chosen) {
    if (runs(chosen)) return chosen;
    throw new Error(`Expected TASKDIST_CHROMIUM to be a Chromium that runs, got ${chosen}`);
  }
  return systemCandidates(env).find(runs) ?? (await playwrightsOwn());
}

/**
 * Like `findBrowser`, and installs Debian's `chromium` (as root, with apt) or Playwright's where none is found.
 * Ends this process with one line that says what to do when all fails.
 *
 * @returns {Promise<string>}
 */
export async function ensureBrowser() {
  try {
    const browser = (await findBrowser()) ?? (await installWithApt()) ?? (await installWithPlaywright());
    if (browser) return browser;
    console.error('No browser to test with: install Chromium or Chrome, or set TASKDIST_CHROMIUM to one.');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  return process.exit(1);
}

/** @param {NodeJS.ProcessEnv} env */
function systemCandidates(env) {
  if (process.platform === 'win32') {
    const roots = [env['ProgramFiles'], env['ProgramFiles(x86)'], env['LocalAppData']].filter(
      (root) => root !== undefined,
    );
    return roots.flatMap((root) => [
      join(root, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(root, 'Chromium', 'Application', 'chrome.exe'),
    ]);
  }
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = COMMAND_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  if (process.platform !== 'darwin') return onPath;
  const applications = ['/Applications', join(homedir(), 'Applications')];
  return [
    ...onPath,
    ...applications.map((folder) => join(folder, 'Google Chrome.app', 'Contents', 'MacOS', 'Google Chrome')),
    ...applications.map((folder) => join(folder, 'Chromium.app', 'Contents', 'MacOS', 'Chromium')),
  ];
}

async function playwrightsOwn() {
  try {
    const { chromium } = await import('playwright');
    return [chromium.executablePath()].find(runs);
  } catch {
    // Playwright is not installed, or has no browser for this platform.
    return undefined;
  }
}

/**
 * Whether the file is a browser that works: Ubuntu's /usr/bin/chromium-browser may be a stub that only names a snap,
 * and a browser that lacks a shared library is of no use either.
 *
 * @param {string} path
 */
function runs(path) {
  if (!existsSync(path)) return false;
  if (process.platform !== 'win32') {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
    return status === 0 && /chrom/i.test(stdout);
  }
  // On Windows `--version` opens a window and prints nothing.
  const profile = mkdtempSync(join(tmpdir(), 'taskdist-browser-'));
  const args = ['--headless', '--no-first-run', `--user-data-dir=${profile}`, '--dump-dom', 'about:blank'];
  const { status, stdout } = spawnSync(path, args, { encoding: 'utf8', timeout: 20_000 });
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  return status === 0 && stdout.includes('<html>');
}

async function installWithApt() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  console.log('Installing the chromium package…');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // A stale or partly unreachable package list may still do.
  await run('apt-get', ['-qq', 'update'], { env, timeLimitMs: APT_TIME_LIMIT_MS });
  if (spawnSync('apt-cache', ['show', 'chromium']).status !== 0) return undefined;
  const install = ['-qq', '-y', '--no-install-recommends', 'install', 'chromium'];
  await run('apt-get', install, { env, timeLimitMs: APT_TIME_LIMIT_MS });
  return systemCandidates(process.env).find(runs);
}

async function installWithPlaywright() {
  console.log("Downloading Playwright's Chromium…");
  await runNode([commandOf('playwright'), 'install', 'chromium'], { timeLimitMs: DOWNLOAD_TIME_LIMIT_MS });
  return playwrightsOwn();
}
