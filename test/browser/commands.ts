// What tests in the browser may ask of the Node side of the test runner: Vitest's browser commands.

import type { BrowserConfigOptions } from 'vitest/node';

export const commands = {} satisfies BrowserConfigOptions['commands'];
