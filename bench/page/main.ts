// The bench's page: computes the demo's tiles in one Web Worker, through taskdist or in a loop.
import { sandbox, Worker as TaskWorker } from 'taskdist';
import type { TilePixels } from '../../demo/tile.ts';
import type { Rendered, TileTask } from '../processes/tiles.ts';

let worker: TaskWorker<TileTask, TilePixels> | undefined;
let thread: Worker | undefined;

globalThis.tab = {
  async connect(url) {
    const handler = sandbox<TileTask, TilePixels>(
      () => new Worker(new URL('./tile-thread.ts', import.meta.url), { type: 'module' }),
      { size: 1 },
    );
    worker = new TaskWorker(handler, { url, concurrency: 1 });
    await worker.start();
    worker.pause();
  },

  pause: () => worker?.pause(),
  resume: () => worker?.resume(),

  async loop(tiles) {
    // Kept, as the sandbox keeps its own.
    thread ??= await startLoop();
    const answer = nextMessage<Rendered>(thread);
    thread.postMessage(tiles);
    return await answer;
  },
};

/** Its script is the same; by the name it knows that nobody else will talk to it. */
async function startLoop(): Promise<Worker> {
  const thread = new Worker(new URL('./tile-thread.ts', import.meta.url), { type: 'module', name: 'loop' });
  await nextMessage(thread);
  return thread;
}

function nextMessage<Message>(thread: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    thread.addEventListener('message', ({ data }: MessageEvent<Message>) => resolve(data), { once: true });
    thread.addEventListener('error', ({ message }) => reject(new Error(message)), { once: true });
  });
}
