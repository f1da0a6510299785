import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { createWorker, eventOf, join, startMaster } from './cluster.ts';

describe('Worker in a page', () => {
  it.each(['msgpack', 'json'] as const)('runs tasks from a master in Node over %s', async (codec) => {
    const port = await startMaster();
    await join<{ n: number }, number>(port, (task) => task.n * 2, { codec, name: 'a tab' });
    expect(await commands.put(port, { type: 'double', n: 21 })).toEqual({ result: 42 });
    expect(await commands.listWorkers(port)).toMatchObject([{ name: 'a tab', platform: 'browser', done: 1 }]);
  });

  it.each(['msgpack', 'json'] as const)('sends typed arrays as they are over %s', async (codec) => {
    const port = await startMaster();
    await join<string, unknown>(
      port,
      (kind) => (kind === 'clamped' ? new Uint8ClampedArray([1, 300]) : new Uint8Array(3)),
      {
        codec,
      },
    );
    expect(await commands.put(port, 'clamped')).toEqual({ result: { kind: 'Uint8ClampedArray', bytes: [1, 255] } });
    expect(await commands.put(port, 'plain')).toEqual({ result: { kind: 'Uint8Array', bytes: [0, 0, 0] } });
  });

  it('reports a handler’s error with name, message and code', async () => {
    const port = await startMaster();
    await join(port, () => {
      throw Object.assign(new RangeError('no'), { code: 'E_NO' });
    });
    expect(await commands.put(port, 1)).toMatchObject({
      attempts: [{ name: 'RangeError', message: 'no', code: 'E_NO' }],
    });
  });

  it('says goodbye when its page is left, so that its task is back at once, and returns with the page', async () => {
    const port = await startMaster();
    const attempts: number[] = [];
    const worker = await join<string, string>(port, (_task, { attempt, signal }) => {
      attempts.push(attempt);
      if (attempts.length > 1) return 'after the return';
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const started = eventOf(worker, 'taskStarted');
    const settled = commands.put(port, 'task');
    await started;
    const left = commands.nextDisconnection(port);
    // The command must have reached Node before the worker leaves.
    await commands.listWorkers(port);
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    expect(worker.state).toBe('hidden');
    expect(await left).toBe(1000);
    const back = eventOf(worker, 'connected');
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    await back;
    expect(await settled).toEqual({ result: 'after the return' });
    // A goodbye is not held against the task: it is its first attempt still.
    expect(attempts).toEqual([1, 1]);
  });

  it('connects at once when the network is back', async () => {
    const port = await startMaster();
    const worker = await join(port, (n: number) => n, { reconnect: { base: 1e9, cap: 1e9 } });
    const lost = eventOf(worker, 'disconnected');
    await commands.stopMaster(port);
    await lost;
    expect(worker.state).toBe('waiting');
    await commands.startMaster({ port });
    const back = eventOf(worker, 'connected');
    window.dispatchEvent(new Event('online'));
    await back;
    expect(await commands.put(port, 3)).toEqual({ result: 3 });
  });

  it('pauses, resumes, and changes how much it does at once', async () => {
    const port = await startMaster();
    const worker = await join(port, (n: number) => n);
    worker.pause();
    await expect.poll(() => commands.listWorkers(port)).toMatchObject([{ concurrency: 0 }]);
    const settled = commands.put(port, 1);
    worker.setConcurrency(3);
    worker.resume();
    expect(await settled).toEqual({ result: 1 });
    await expect.poll(() => commands.listWorkers(port)).toMatchObject([{ concurrency: 3 }]);
  });

  it('tells that there is no master', async () => {
    const port = await startMaster();
    await commands.stopMaster(port);
    const worker = createWorker(port, (n: number) => n);
    await expect(worker.start()).rejects.toMatchObject({ code: 'TASKDIST_CONNECT' });
  });

  it('gives up attempts when it stops, and the master has them back', async () => {
    const port = await startMaster();
    const first = await join<number, string>(port, () => new Promise(() => {}), { grace: 10 });
    const started = eventOf(first, 'taskStarted');
    const settled = commands.put(port, 1);
    await started;
    await first.stop();
    expect(first.state).toBe('stopped');
    await join<number, string>(port, () => 'elsewhere');
    expect(await settled).toEqual({ result: 'elsewhere' });
  });
});
