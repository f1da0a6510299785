// What a worker does while its master does not read.
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done, progress } = MessageType;

/** A worker whose master has granted it tasks, and reads nothing. */
async function setUp(handler: (task: number, context: TaskContext) => unknown, tasks: number) {
  const virtual = new VirtualWorker<number, unknown>(handler);
  void virtual.worker.start();
  await virtual.clock.settle();
  const { last } = virtual.master;
  last.send(welcomeOf({ maxFrameBytes: 10_000_000, socketTimeout: 600_000 }));
  await virtual.clock.settle();
  last.news();
  const { client } = virtual.network.lastLink;
  client.stall();
  last.send(
    ...Array.from({ length: tasks }, (_, n): [2, number, number, string, number] => [grant, n + 1, 1, `${n}`, n]),
  );
  await virtual.clock.settle();
  const started = (): number => virtual.eventTypes.filter((type) => type === 'taskStarted').length;
  return { ...virtual, worker: virtual.worker, clock: virtual.clock, client, started, news: () => last.news() };
}

describe('a worker whose master does not read', () => {
  it('starts nothing more once a mebibyte of results is waiting, and goes on when it has left', async () => {
    const { clock, client, started, news } = await setUp(() => new Uint8Array(100_000), 50);
    expect(started()).toBe(11);
    expect(client.bufferedBytes).toBeLessThan(1_200_000);
    client.flow();
    await clock.settle();
    expect([started(), news().length, clock.pendingTimers]).toEqual([50, 50, 1]);
  });

  it('goes on also where nobody tells that something has left, as in browsers', async () => {
    const { clock, client, started } = await setUp(() => new Uint8Array(100_000), 50);
    client.flow(false);
    await clock.advance(20);
    expect(started()).toBe(50);
  });

  it('keeps the latest progress of each attempt only, and sends it when there is room', async () => {
    let context: TaskContext | undefined;
    const { clock, client, news } = await setUp((_, given) => {
      context = given;
      return new Promise(() => {});
    }, 1);
    for (let n = 0; n < 100; n += 1) context?.progress({ n, payload: new Uint8Array(100_000) });
    await clock.settle();
    expect(client.bufferedBytes).toBeLessThan(1_200_000);
    context?.progress(() => {});
    context?.progress('the latest');
    client.flow();
    await clock.settle();
    const values = news().flatMap((message) => (message[0] === progress ? [message[2]] : []));
    expect([values.length, values.at(-1)]).toEqual([12, 'the latest']);
  });

  it('sends no progress behind the result', async () => {
    let context: TaskContext | undefined;
    let finish: (value: string) => void = () => {};
    const { clock, client, news } = await setUp((_, given) => {
      context = given;
      return new Promise((resolve) => {
        finish = resolve;
      });
    }, 1);
    for (let n = 0; n < 20; n += 1) context?.progress(new Uint8Array(100_000));
    finish('result');
    await clock.settle();
    client.flow();
    await clock.settle();
    expect(news().at(-1)).toEqual([done, 1, 'result']);
  });

  it('starts again what the next connection brings', async () => {
    const { clock, client, started, master } = await setUp(() => new Uint8Array(100_000), 50);
    expect(started()).toBe(11);
    client.terminate();
    await clock.advance(60_000);
    master.last.send(welcomeOf(), [grant, 1, 1, 'again', 1]);
    await clock.settle();
    expect(started()).toBe(12);
  });
});
