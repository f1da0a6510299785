// The real environment of a worker.
import type { WorkerEnvironment } from '../ports.ts';
import { defaultName, platform } from './host.ts';
import { watchPage } from './page.ts';
import { systemClock, systemRandom } from './system.ts';
import { connectWebSocket } from './websocket.ts';

export const systemEnvironment: WorkerEnvironment = {
  clock: systemClock,
  random: systemRandom,
  connect: connectWebSocket,
  watchPage,
  platform,
  name: defaultName,
};
