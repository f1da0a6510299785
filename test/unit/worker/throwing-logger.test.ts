import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/ports.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done } = MessageType;

function throwingLogger(): { logger: Logger; words: () => number } {
  let words = 0;
  const write = (): never => {
    words += 1;
    throw new Error('the log is full');
  };
  return { logger: { debug: write, info: write, warn: write, error: write }, words: () => words };
}

describe('a Worker whose logger throws', () => {
  it('works, connects again when it is disconnected, and stops', async () => {
    const { logger, words } = throwingLogger();
    const handler = {
      doTask: (task: number) => task * 2,
      stop() {
        throw new Error('something else to log');
      },
    };
    const world = new VirtualWorker<number, number>(handler, { logger });
    const { worker, clock, network, master } = world;
    const started = follow(worker.start());
    for (const round of [1, 2, 3]) {
      await clock.advanceUntil(() => master.connections.length === round, 'the next connection', 60_000);
      await world.welcome();
      expect(worker.state).toBe('connected');
      master.last.send([grant, 1, 1, 'a', round]);
      await clock.settle();
      expect(master.last.news()).toEqual([[done, 1, round * 2]]);
      network.lastLink.reset();
      await clock.settle();
      expect(worker.state).toBe('waiting');
    }
    expect(started()).toEqual({ status: 'fulfilled', value: undefined });
    const stopped = follow(worker.stop());
    await clock.settle();
    expect([stopped().status, worker.state, clock.pendingTimers]).toEqual(['fulfilled', 'stopped', 0]);
    expect(words()).toBe(7);
  });
});
