// Lets one process at a time work on what all share: node_modules, and what is built.

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { projectRoot } from './child.mjs';

const LOOK_AGAIN_MS = 200;

/**
 * Waits until no other process is at work here, then works.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [folder] where the turn is noted down
 * @returns {Promise<T>}
 */
export async function alone(work, folder = join(projectRoot, '.cache')) {
  const turn = join(folder, 'turn');
  mkdirSync(folder, { recursive: true });
  while (!take(turn)) await pause(LOOK_AGAIN_MS);
  const giveBack = () => rmSync(turn, { force: true });
  // The work may end this process.
  process.once('exit', giveBack);
  try {
    return await work();
  } finally {
    process.off('exit', giveBack);
    giveBack();
  }
}

/**
 * @param {string} turn
 * @returns whether it is ours now
 */
function take(turn) {
  const draft = `${turn}-${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    // Unlike writing, linking fails where the file exists, and makes it appear with its content.
    linkSync(draft, turn);
    return true;
  } catch {
    // What a process that was killed has left behind is in nobody's way.
    if (!isAlive(holderOf(turn))) rmSync(turn, { force: true });
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @param {string} turn */
function holderOf(turn) {
  try {
    return Number(readFileSync(turn, 'utf8'));
  } catch {
    // Given back in this moment.
    return process.pid;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
