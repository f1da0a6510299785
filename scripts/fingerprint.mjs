// One hash for the content of some files and folders, to tell whether a result made from them is still good.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './child.mjs';

/**
 * @param {readonly string[]} paths files and folders, relative to `root`; a missing one counts as absent, not as an error
 * @param {string} [root]
 */
export function fingerprint(paths, root = projectRoot) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(root, path)).sort()) {
    const content = readFileSync(join(root, file));
    // The length keeps "ab" + "c" apart from "a" + "bc".
    hash.update(`${file}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(root, path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full).flatMap((name) => filesUnder(root, `${path}/${name}`));
}
