// What a worker does while its master does not read.
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../../src/handler.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { nextTurn } from '../../support/event-loop.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done, progress } = MessageType;

/** A worker whose master has granted it tasks, and reads nothing. */
async function setUp(handler: (task: number, context: TaskContext) => unknown, tasks: number, concurrency = 1) {
  const virtual = new VirtualWorker<number, unknown>(handler, { concurrency });
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

  it('sends the progress that it kept before what is told later', async () => {
    const told: TaskContext[] = [];
    const finish: ((value: null) => void)[] = [];
    const handler = (_: number, given: TaskContext): Promise<null> => {
      told.push(given);
      return new Promise((resolve) => finish.push(resolve));
    };
    const { clock, client, news } = await setUp(handler, 2, 2);
    for (let n = 0; n < 20; n += 1) told[0]?.progress(new Uint8Array(100_000));
    told[0]?.progress('kept');
    await clock.settle();
    client.flow(false);
    // Finds that there is room, before anybody has looked for it.
    finish[1]?.(null);
    await nextTurn();
    told[0]?.progress('later');
    await clock.advance(20);
    const values = news().flatMap((message) => (message[0] === progress ? [message[2]] : []));
    expect(values.slice(-2)).toEqual(['kept', 'later']);
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

  it('starts nothing of a connection that is over, and what the next one brings', async () => {
    const { clock, client, started, master } = await setUp(() => new Uint8Array(100_000), 50);
    expect(started()).toBe(11);
    client.terminate();
    await clock.advance(60_000);
    expect(started()).toBe(11);
    master.last.send(welcomeOf(), [grant, 1, 1, 'again', 1], [grant, 2, 1, 'again', 2]);
    await clock.settle();
    expect(started()).toBe(13);
  });

  it('starts nothing as it says goodbye', async () => {
    const { clock, client, started, worker } = await setUp(() => new Uint8Array(100_000), 50);
    client.flow(false);
    // There is room again, and something to send, when it stops.
    worker.setConcurrency(2);
    const stopped = worker.stop();
    await clock.advance(60_000);
    await stopped;
    expect([started(), clock.pendingTimers]).toEqual([11, 0]);
  });

  it('starts what the next connection brings, when an attempt of the one before has ended late', async () => {
    const late: (() => void)[] = [];
    const { clock, client, started, master } = await setUp((_, context) => {
      context.progress(new Uint8Array(1_100_000));
      return new Promise((resolve) => late.push(() => resolve(null)));
    }, 1);
    client.terminate();
    await clock.advance(0);
    late[0]?.();
    await clock.advance(60_000);
    master.last.send(welcomeOf(), [grant, 1, 1, 'again', 1]);
    await clock.settle();
    expect(started()).toBe(2);
  });
});
