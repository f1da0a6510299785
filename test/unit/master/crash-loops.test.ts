import { describe, expect, it } from 'vitest';
import { CrashLoops, type Sourced } from '../../../src/master/crash-loops.ts';
import { MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

class NotingSession implements Sourced {
  readonly source: string | undefined;
  wasFruitless = true;
  isUnproven = true;
  restsUntilMs = 0;

  constructor(source: string | undefined) {
    this.source = source;
  }

  restUntil(untilMs: number): void {
    this.restsUntilMs = untilMs;
  }
}

function setUp() {
  const clock = new VirtualClock(0);
  const loops = new CrashLoops(clock);
  const startedAtMs = clock.now();
  const join = (source: string | undefined): NotingSession => {
    const session = new NotingSession(source);
    loops.joined(session);
    return session;
  };
  const lose = (source: string | undefined, wasFruitless = true): void => {
    const session = join(source);
    session.wasFruitless = wasFruitless;
    loops.left(session);
  };
  return { clock, loops, join, lose, restOf: (session: NotingSession) => session.restsUntilMs - startedAtMs };
}

describe('CrashLoops', () => {
  it('lets those of a source rest for twice as long after each loss, for ten seconds at most', () => {
    const { join, lose, restOf } = setUp();
    const rests = Array.from({ length: 9 }, () => {
      lose('A');
      return restOf(join('A'));
    });
    expect(rests).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('says nothing to those of other sources, or of none', () => {
    const { join, lose } = setUp();
    lose('A');
    lose(undefined);
    expect(['B', undefined].map((source) => join(source).restsUntilMs)).toEqual([0, 0]);
  });

  it('does not mind who has done more than was lost', () => {
    const { join, lose } = setUp();
    lose('A', false);
    expect(join('A').restsUntilMs).toBe(0);
  });

  it('lets those rest as well who are there already, unless they have done more than they run', () => {
    const { join, lose, restOf } = setUp();
    const [unproven, proven] = [join('A'), join('A')];
    proven.isUnproven = false;
    lose('A');
    expect([restOf(unproven), proven.restsUntilMs]).toEqual([100, 0]);
  });

  it('forgets it after ten minutes without another loss', async () => {
    const { clock, join, lose, restOf } = setUp();
    for (const _ of [1, 2, 3]) lose('A');
    await clock.advance(599_999);
    lose('A');
    expect(restOf(join('A'))).toBe(599_999 + 800);
    await clock.advance(600_000);
    lose('A');
    expect(restOf(join('A'))).toBe(1_199_999 + 100);
  });

  it('remembers 10 000 sources', () => {
    const { loops, join, lose } = setUp();
    for (let source = 0; source < 10_001; source += 1) lose(`A${source}`);
    expect(loops.size).toBe(10_000);
    expect([join('A0').restsUntilMs > 0, join('A1').restsUntilMs > 0]).toEqual([false, true]);
  });
});

describe('a stranger that takes all tasks and breaks off, again and again', () => {
  /** Two tasks that a stranger of this address takes, and an honest worker when it can. */
  async function siege(address: string | undefined) {
    const master = new VirtualMaster<string, string>(
      { taskTimeoutMs: 1e9, socketTimeoutMs: 1e6 },
      { maxDeliveries: 5 },
    );
    const { clock, network } = master;
    const ends: string[] = [];
    for (const task of ['a', 'b']) {
      master.scheduler.put(task).then(
        () => ends.push('done'),
        () => ends.push('given up'),
      );
    }
    const connect = async (from: string | undefined): Promise<WorkerPeer> => {
      master.address = from;
      const peer = await master.connect();
      peer.send(helloOf({ concurrency: 100 }));
      await clock.settle();
      peer.send([MessageType.pong, 1]);
      await clock.settle();
      return peer;
    };
    for (let round = 0; round < 50 && ends.length === 0; round += 1) {
      await connect(address);
      network.lastLink.reset();
      await clock.advance(1);
    }
    const honest = await connect('192.0.2.9');
    const answers = honest
      .news()
      .flatMap(([type, lease]): WorkerMessage[] =>
        type === MessageType.grant ? [[MessageType.done, Number(lease), 'x']] : [],
      );
    for (const answer of answers) honest.send(answer);
    await clock.settle();
    return ends;
  }

  it('gets no task given up: it is soon granted nothing', async () => {
    expect(await siege('192.0.2.1')).toEqual(['done', 'done']);
  });

  it('does where nothing is counted by address', async () => {
    expect(await siege(undefined)).toEqual(['given up', 'given up']);
  });
});
