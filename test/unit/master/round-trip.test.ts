// How the master measures how long answers take.
import { describe, expect, it } from 'vitest';
import { MessageType, type WorkerDescription, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const { grant, done, ping, pong } = MessageType;

/** A master and a worker that is welcome, at the end of a line of this length; pings every 10 s. */
async function setUp(description: Partial<WorkerDescription> = {}, latencyMs = 0) {
  const master = new VirtualMaster<unknown, unknown>({ socketTimeoutMs: 30_000, taskTimeoutMs: 600_000 });
  const { clock, scheduler } = master;
  const peer = await master.connect();
  master.network.lastLink.latencyMs = latencyMs;
  peer.send(helloOf({ prefetch: 'auto', ...description }));
  await clock.advance(2 * latencyMs);
  /** Answers all that came in, at once, but pings only if it is told so; returns the nonces of the pings. */
  const answer = (pings = true): number[] => {
    const news = peer.news();
    const nonces = news.flatMap((message) => (message[0] === ping ? [message[1]] : []));
    const results = news.flatMap((message): WorkerMessage[] => (message[0] === grant ? [[done, message[1], 0]] : []));
    const pongs = nonces.map((nonce): WorkerMessage => [pong, nonce]);
    const answers = [...(pings ? pongs : []), ...results];
    if (answers.length > 0) peer.send(...answers);
    return nonces;
  };
  /** Runs tasks, each after the other, for so many seconds; returns the nonces of the pings. */
  const flow = async (seconds: number, pings = true): Promise<number[]> => {
    const nonces: number[] = [];
    for (let step = 0; step < seconds * 10; step += 1) {
      void scheduler.put(step);
      await clock.advance(100);
      nonces.push(...answer(pings));
    }
    return nonces;
  };
  const roundTrip = (): number | undefined => master.sessions.list()[0]?.roundTrip;
  return { master, clock, peer, answer, flow, roundTrip };
}

describe('the round trip to a worker', () => {
  it('is measured as soon as it is welcome', async () => {
    const { clock, answer, roundTrip } = await setUp({}, 40);
    expect(roundTrip()).toBeUndefined();
    expect(answer()).toEqual([1]);
    await clock.advance(40);
    expect(roundTrip()).toBe(80);
  });

  it('is measured every second while tasks flow, and else with the heartbeat', async () => {
    const { clock, answer, flow } = await setUp();
    answer();
    expect(await flow(4.5)).toEqual([2, 3, 4, 5]);
    await clock.advance(9000);
    expect(answer()).toEqual([]);
    await clock.advance(1000);
    expect(answer()).toEqual([6]);
  });

  it('is measured once, and then with the heartbeat alone, if the prefetch does not depend on it', async () => {
    const { clock, flow, answer, roundTrip } = await setUp({ prefetch: 5 });
    expect(answer()).toEqual([1]);
    await clock.settle();
    expect(roundTrip()).toBe(0);
    expect(await flow(9)).toEqual([]);
    expect(await flow(2)).toEqual([2]);
  });

  it('is followed also when it gets longer than the time between two pings', async () => {
    const { master, flow, answer, roundTrip } = await setUp();
    answer();
    await flow(1);
    expect(roundTrip()).toBe(0);
    master.network.lastLink.latencyMs = 1250;
    await flow(60);
    // The worker looks at what came in every 100 ms.
    expect(roundTrip()).toBeGreaterThan(2490);
    expect(roundTrip()).toBeLessThanOrEqual(2600);
  });

  it('is not measured by pongs that nobody has asked for, or that come again', async () => {
    const { clock, peer, roundTrip } = await setUp();
    for (const nonce of [0, 2, 7]) peer.send([pong, nonce]);
    await clock.advance(300);
    expect(roundTrip()).toBeUndefined();
    peer.send([pong, 1]);
    await clock.advance(500);
    expect(roundTrip()).toBe(300);
    peer.send([pong, 1]);
    await clock.settle();
    expect(roundTrip()).toBe(300);
  });

  it('is not known of a worker that answers no ping, which goes on all the same', async () => {
    const { master, flow, roundTrip } = await setUp();
    await flow(30, false);
    expect(roundTrip()).toBeUndefined();
    expect(master.sessions.list()).toMatchObject([{ done: 299 }]);
  });
});
