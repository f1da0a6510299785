// Sees to it that node_modules holds what the lockfile says.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, run, runNode } from './child.mjs';
import { alone } from './turns.mjs';

/** Installs with `npm ci`, unless that has been done already. */
export async function ensureInstalled() {
  requireNodeVersion();
  if (!isInstalled(projectRoot)) await alone(install);
}

async function install() {
  // Another may have done it while we waited for our turn.
  if (isInstalled(projectRoot)) return;
  console.error('Installing dependencies…');
  // No package here needs an install script. A NODE_ENV=production around us must not cost us the build tools.
  const npmCi = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npmScript = process.env['npm_execpath'];
  const { ok, how } = npmScript?.endsWith('.js')
    ? await runNode([npmScript, ...npmCi], { isPreparation: true })
    : await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', npmCi, { isPreparation: true });
  if (!ok) {
    console.error(`npm ci ${how}: see its message above.`);
    process.exit(1);
  }
}

/**
 * Compares the lockfile with the record npm leaves in node_modules when it has finished. Packages for other platforms
 * are optional, and absent there.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const recordPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(recordPath)) return false;
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(recordPath);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || (entry.optional && !(path in installed))) return true;
    const found = installed[path];
    return found?.version === entry.version && found?.integrity === entry.integrity;
  });
}

/**
 * @param {string} lockfile
 * @returns {Record<string, { version?: string; integrity?: string; optional?: boolean }>}
 */
function packagesIn(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages ?? {};
}

function requireNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`taskdist needs Node 20.19 or newer, and this is ${process.versions.node}.`);
  process.exit(1);
}
