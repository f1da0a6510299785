// Threads of the tests import the library as its users do, which is as it was built: never from yesterday's sources.

import type { TestProject } from 'vitest/node';
import { build } from '../../scripts/building.mjs';

export default async function setup(project: TestProject): Promise<void> {
  const buildLibrary = async () => {
    // What does not compile has been reported. It fails the tests that need it, and only those.
    await build(['library']);
  };
  await buildLibrary();
  project.onTestsRerun(buildLibrary);
}
