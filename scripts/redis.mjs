// Finds a Redis server to measure against, and installs one where there is none.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './child.mjs';

const APT_TIME_LIMIT_MS = 10 * 60_000;

/**
 * The first one found: TASKDIST_REDIS, then the PATH; where there is none, Debian's `redis-server` is installed (as
 * root, with apt).
 *
 * @returns {Promise<string | undefined>} path of an executable that has been seen to run
 */
export async function ensureRedis(env = process.env) {
  const redis = findRedis(env) ?? (await installWithApt());
  if (redis === undefined)
    console.error('No Redis to measure against: install redis-server, or set TASKDIST_REDIS to one.');
  return redis;
}

/** @param {NodeJS.ProcessEnv} env */
function findRedis(env) {
  const chosen = env['TASKDIST_REDIS'];
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...(chosen ? [chosen] : []), ...folders.map((folder) => join(folder, 'redis-server'))].find(runs);
}

/** @param {string} path */
function runs(path) {
  if (!existsSync(path)) return false;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 && /redis/i.test(stdout);
}

async function installWithApt() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  console.error('Installing the redis-server package…');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // A stale or partly unreachable package list may still do.
  await run('apt-get', ['-qq', 'update'], { env, timeLimitMs: APT_TIME_LIMIT_MS, isPreparation: true });
  const install = ['-qq', '-y', '--no-install-recommends', 'install', 'redis-server'];
  await run('apt-get', install, { env, timeLimitMs: APT_TIME_LIMIT_MS, isPreparation: true });
  return findRedis(process.env);
}
