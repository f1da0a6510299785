// Runs other programs, and sees to it that none of them outlives us.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ctrl-C, being asked to end, and a terminal that is closed. @type {NodeJS.Signals[]} */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const POSIX = process.platform !== 'win32';
const GRACE_MS = 5_000;
const PARENT_CHECK_MS = 500;
const PARENT = process.ppid;

/**
 * @typedef {object} RunOptions
 * @property {Record<string, string>} [env] added to ours
 * @property {number} [timeLimitMs]
 * @property {boolean} [isPreparation] its output goes to our stderr: stdout is for the answer to what was asked for
 */

/**
 * Path of the script behind a package's command, so that it runs under this very Node without npx or a shell.
 *
 * @param {string} packageName
 * @param {string} command
 */
export function commandOf(packageName, command = packageName) {
  // Through the main entry's folder: not every package exports its package.json.
  const require = createRequire(join(projectRoot, 'package.json'));
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const home = join(folder, packageName);
    try {
      const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
      return join(home, typeof bin === 'string' ? bin : bin[command]);
    } catch {
      // Not in this node_modules: try the next one up.
    }
  }
  throw new Error(`${packageName} is not installed`);
}

/**
 * Runs a Node script to its end, without stdin, its output on ours.
 *
 * @param {string[]} args what follows `node` on the command line
 * @param {RunOptions} [options]
 * @returns {Promise<{ ok: boolean; how: string }>} whether it ended with code 0, and how it ended otherwise
 */
export function runNode(args, options = {}) {
  return run(process.execPath, args, options);
}

/**
 * Like `runNode`, for any program.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ ok: boolean; how: string }>}
 */
export function run(command, args, { env = {}, timeLimitMs, isPreparation = false } = {}) {
  return new Promise((resolve) => {
    // A process group of its own, so that a stop or the time limit reaches what the program itself has started.
    const child = spawn(command, args, {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      stdio: ['ignore', isPreparation ? 2 : 1, 2],
      detached: POSIX,
    });
    let hasTimedOut = false;
    /** @type {NodeJS.Timeout | undefined} */
    let killTimer;
    const stop = () => {
      signalGroup(child, 'SIGTERM');
      killTimer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
    };
    const limitTimer = timeLimitMs
      ? setTimeout(() => {
          hasTimedOut = true;
          stop();
        }, timeLimitMs)
      : undefined;
    const interrupt = () => {
      stop();
      child.once('close', () => {
        // Whoever of the group is still there has been asked, and has had no one left to work for.
        signalGroup(child, 'SIGKILL');
        process.exit(130);
      });
    };
    for (const signal of STOP_SIGNALS) process.once(signal, interrupt);
    const stopWatching = whenLeftByNpm(interrupt);

    /** @param {string} how */
    const settle = (how) => {
      clearTimeout(limitTimer);
      clearTimeout(killTimer);
      stopWatching();
      for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
      resolve({ ok: how === '', how: hasTimedOut ? `stopped after ${Number(timeLimitMs) / 1_000} s` : how });
    };
    child.once('error', (error) => settle(error.message));
    child.once('close', (code, signal) => settle(code === 0 ? '' : `ended with ${signal ?? `code ${code}`}`));
  });
}

/**
 * Runs a Node script in the foreground for as long as it lives, then ends this process the way it ended.
 *
 * @param {string[]} args what follows `node` on the command line
 */
export function becomeNode(args) {
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: 'inherit' });
  let isStopping = false;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    if (isStopping) return;
    isStopping = true;
    // Ctrl-C in a terminal reaches the whole foreground group: a second one would read as "at once".
    if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, forward);
  whenLeftByNpm(() => forward('SIGTERM'));
  child.once('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.once('close', (code, signal) => {
    // Being asked to stop is the ordinary end of a server, not a failure.
    process.exit(isStopping && signal !== 'SIGKILL' ? 0 : (code ?? 1));
  });
}

/**
 * npm runs a script in a shell, which on SIGTERM ends without a word to its children: only our new parent tells.
 *
 * @param {() => void} callback
 * @returns {() => void} ends the watch
 */
function whenLeftByNpm(callback) {
  if (process.env['npm_lifecycle_event'] === undefined) return () => {};
  const timer = setInterval(() => {
    if (process.ppid === PARENT) return;
    clearInterval(timer);
    callback();
  }, PARENT_CHECK_MS).unref();
  return () => clearInterval(timer);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  try {
    if (POSIX && child.pid) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // Already gone.
  }
}
