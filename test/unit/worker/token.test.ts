// What a worker shows its master to be let in.
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../../src/protocol/close-codes.ts';
import type { WorkerOptions } from '../../../src/worker/options.ts';
import { VirtualWorker } from '../../support/worker.ts';

type Token = WorkerOptions<unknown>['token'];

function worldOf(token: Token, options: WorkerOptions<unknown> = {}): VirtualWorker {
  const world = new VirtualWorker(() => null, { token, ...options });
  void world.worker.start();
  return world;
}

describe('the token of a Worker', () => {
  it.each<[string, Token]>([
    ['a text', 'secret'],
    ['what a function returns', () => 'secret'],
    ['what a function promises', async () => 'secret'],
  ])('is %s, and goes with the hello', async (_what, token) => {
    const { clock, master } = worldOf(token);
    await clock.settle();
    expect(master.last.news()).toMatchObject([[0, { version: 1, token: 'secret' }]]);
  });

  it('is left out if there is none', async () => {
    const { clock, master } = worldOf(undefined);
    await clock.settle();
    expect(master.last.news()[0]?.[1]).not.toHaveProperty('token');
  });

  it('is asked for anew at each connection', async () => {
    let asked = 0;
    const { clock, master } = worldOf(() => {
      asked += 1;
      return `token ${asked}`;
    });
    await clock.settle();
    expect(master.last.news()).toMatchObject([[0, { token: 'token 1' }]]);
    master.last.close(1001);
    await clock.advance(1000);
    expect(master.connections).toHaveLength(2);
    expect(master.last.news()).toMatchObject([[0, { token: 'token 2' }]]);
  });

  it.each<[string, () => string | Promise<string>, string]>([
    [
      'throws',
      () => {
        throw new Error('locked');
      },
      'locked',
    ],
    ['rejects', () => Promise.reject(new Error('offline')), 'offline'],
    ['returns no text', () => JSON.parse('7'), 'a text of at most 8192 characters'],
    ['returns too long a text', () => 'x'.repeat(8193), 'a text of at most 8192 characters'],
  ])('has failed to be had if the function %s, and the worker tries again', async (_what, token, reason) => {
    const world = new VirtualWorker(() => null, { token });
    const started = expect(world.worker.start()).rejects.toMatchObject({
      code: 'TASKDIST_CONNECT',
      message: expect.stringContaining(reason),
    });
    await world.clock.settle();
    await started;
    expect(world.master.last.news()).toEqual([]);
    expect(world.events.at(-1)).toMatchObject({ type: 'disconnected', code: CloseCode.abnormal, retryDelay: 500 });
    expect(world.worker.state).toBe('waiting');
    await world.clock.advance(500);
    expect(world.master.connections).toHaveLength(2);
  });

  it('that is not there in time fails the try', async () => {
    let give: ((token: string) => void) | undefined;
    const token = (): Promise<string> =>
      new Promise((resolve) => {
        give = resolve;
      });
    const { clock, master, events } = worldOf(token, { connectTimeout: 100, reconnect: false });
    await clock.advance(99);
    expect(events.map(({ type }) => type)).toEqual(['connecting']);
    await clock.advance(1);
    expect(events.at(-1)).toMatchObject({ type: 'disconnected', code: CloseCode.silent });
    // Too late, and for nothing.
    give?.('secret');
    await clock.settle();
    expect(master.last.news()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes before whatever the worker says of itself while it is asked for', async () => {
    let give: ((token: string) => void) | undefined;
    const token = (): Promise<string> =>
      new Promise((resolve) => {
        give = resolve;
      });
    const { clock, master, worker } = worldOf(token);
    await clock.settle();
    worker.setConcurrency(3);
    give?.('secret');
    await clock.settle();
    expect(master.last.news()).toMatchObject([[0, { concurrency: 3, token: 'secret' }]]);
  });

  it('that is refused stops the worker for good', async () => {
    const world = new VirtualWorker(() => null, { token: 'wrong' });
    const started = expect(world.worker.start()).rejects.toMatchObject({ code: 'TASKDIST_REFUSED' });
    await world.clock.settle();
    world.master.last.close(4401, 'No');
    await world.clock.advance(60_000);
    await started;
    expect(world.worker.state).toBe('stopped');
    expect(world.master.connections).toHaveLength(1);
  });

  it('that is too long, or no text, is refused at once, and not shown', () => {
    const message = 'Expected `token` to be a text of at most 8192 characters, or a function, got an object';
    expect(() => new VirtualWorker(() => null, { token: 'x'.repeat(8193) })).toThrow(message);
    // @ts-expect-error: not a text
    expect(() => new VirtualWorker(() => null, { token: 7 })).toThrow('Expected `token`');
  });
});
