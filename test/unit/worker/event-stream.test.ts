import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { follow } from '../../support/holders.ts';
import { pendingWorker } from '../../support/pending-worker.ts';

const { grant } = MessageType;

describe('the events of a Worker as a stream', () => {
  it('come in their order, those that were asked for, and end when it has stopped', async () => {
    const { clock, master, handler, world } = await pendingWorker();
    const types: string[] = [];
    const read = async (): Promise<void> => {
      for await (const event of world.worker.events({ types: ['taskStarted', 'taskProgress', 'taskSettled'] })) {
        types.push(event.type === 'dropped' ? event.type : `${event.type} ${event.key}`);
      }
    };
    const over = follow(read());
    master.send([grant, 1, 1, 'a', 'a'], [grant, 2, 1, 'b', 'b']);
    await clock.settle();
    handler.contexts.get('a')?.progress(1);
    handler.finish('a');
    await clock.settle();
    handler.finish('b');
    expect(over().status).toBe('pending');
    const stopped = follow(world.worker.stop());
    await clock.advance(5000);
    expect([stopped().status, over().status]).toEqual(['fulfilled', 'fulfilled']);
    expect(types).toEqual(['taskStarted a', 'taskProgress a', 'taskSettled a', 'taskStarted b', 'taskSettled b']);
  });

  it('end when it has drained, and begin anew when it is started again', async () => {
    const { clock, world } = await pendingWorker();
    const over = follow(world.worker.events().next());
    const ended = follow(world.worker.events({ types: ['error'] }).next());
    void world.worker.drain();
    await clock.advance(5000);
    expect(over()).toMatchObject({ value: { value: { type: 'disconnected' } } });
    expect(ended()).toMatchObject({ value: { done: true } });
    const again = follow(world.worker.events().next());
    void world.worker.start();
    await clock.settle();
    expect(again()).toMatchObject({ value: { value: { type: 'connecting', tries: 1 } } });
  });
});
