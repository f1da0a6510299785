// A disk that is full. The library itself writes nothing to any: what does is the logger that it is given.
import { closeSync, createWriteStream, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'taskdist';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cluster, nextMasterEvent, nextWorkerEvent } from './cluster.ts';

/** What it is to write to a disk that is full. */
const FULL = '/dev/full';

const to = (write: (line: string) => void): Logger => ({ debug: write, info: write, warn: write, error: write });

/** Everything that is logged: a worker that comes, is refused, loses its master, and connects again. */
async function liveThrough(logger: Logger): Promise<void> {
  const first = await Cluster.start<number, number>({ logger });
  const port = first.master.address?.port ?? 0;
  const worker = await first.join((n) => n * 2, { logger, reconnect: { base: 5, cap: 20 } });
  await expect(first.scheduler.put(1)).resolves.toBe(2);
  const refused = nextMasterEvent(first.master, 'connectionRefused');
  const stranger = await first.connectRaw('taskdist.v2.json');
  await Promise.all([refused, stranger.closed]);
  const connected = nextWorkerEvent(worker, 'connected');
  await first.master.stop();
  const second = await Cluster.start<number, number>({ port, logger });
  await connected;
  await expect(second.scheduler.put(2)).resolves.toBe(4);
  await worker.stop();
  await second.master.stop();
}

describe('a full disk', () => {
  it('is nothing to the library, which opens no file', () => {
    const folder = fileURLToPath(new URL('../../src/', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((name) => /['"](node:)?fs(\/promises)?['"]/.test(readFileSync(folder + name, 'utf8')))).toEqual(
      [],
    );
  });

  it.skipIf(!existsSync(FULL))('that makes every line of a logger throw harms nothing', async () => {
    const file = openSync(FULL, 'w');
    onTestFinished(() => closeSync(file));
    const errors: unknown[] = [];
    const logger = to((line) => {
      try {
        writeSync(file, `${line}\n`);
      } catch (error) {
        errors.push(Reflect.get(Object(error), 'code'));
        throw error;
      }
    });
    await liveThrough(logger);
    expect(new Set(errors)).toEqual(new Set(['ENOSPC']));
  });

  it.skipIf(!existsSync(FULL))('under a logger’s stream harms nothing, before it has failed and after', async () => {
    const stream = createWriteStream(FULL);
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(Reflect.get(error, 'code')));
    let lines = 0;
    const logger = to((line) => {
      lines += 1;
      stream.write(`${line}\n`);
    });
    await liveThrough(logger);
    await expect.poll(() => errors[0]).toBe('ENOSPC');
    const before = lines;
    await liveThrough(logger);
    expect(lines).toBeGreaterThan(before);
    expect(before).toBeGreaterThan(5);
  });
});
