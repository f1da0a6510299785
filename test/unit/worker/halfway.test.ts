// When a worker whose handler answers at once sends its results.
import { describe, expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, recall, released } = MessageType;

/** Runs so many tasks that take so long each; returns how many results are in each frame, and how many had run when it was sent. */
async function framesOf(tasks: number, taskMs: number) {
  let ran = 0;
  const { clock, master, network } = await new VirtualWorker(() => {
    clock.jump(taskMs);
    ran += 1;
    return null;
  }).connect();
  const ranAtFrame: number[] = [];
  const { client } = network.lastLink;
  const send = client.send.bind(client);
  client.send = (frame) => {
    ranAtFrame.push(ran);
    send(frame);
  };
  const before = master.last.frames.length;
  master.last.send(
    ...Array.from({ length: tasks }, (_, n): [2, number, number, string, null] => [grant, n + 1, 1, `${n}`, null]),
  );
  // The clock has gone ahead meanwhile.
  await clock.advance(100);
  return { ranAtFrame, results: master.last.frames.slice(before).map(({ length }) => length) };
}

describe('a worker that computes in one go what a frame brought', () => {
  it('sends the first results when half is done, for the master to have something to do meanwhile', async () => {
    expect(await framesOf(8, 0.3)).toEqual({ ranAtFrame: [4, 6, 7, 8], results: [4, 2, 1, 1] });
  });

  it('sends no more frames than are worth their time', async () => {
    expect((await framesOf(64, 0.005)).results).toEqual([50, 14]);
  });

  it('obeys what the frame says of a task behind its grant', async () => {
    const ran: unknown[] = [];
    const { clock, master } = await new VirtualWorker((task) => {
      ran.push(task);
      return new Promise(() => {});
    }).connect();
    master.last.send([grant, 1, 1, 'a', 'first'], [grant, 2, 1, 'b', 'second'], [recall, 2]);
    await clock.settle();
    expect([ran, master.last.news()]).toEqual([['first'], [[released, 2]]]);
  });
});
