// What a master may say of the largest frame it takes.
import { describe, expect, it } from 'vitest';
import { describeError } from '../../../src/errors.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { byteLength, encode } from '../../support/frames.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, failed, ping, pong } = MessageType;

async function welcomedWith(maxFrameBytes: unknown) {
  const world = new VirtualWorker<string, never>((message) => {
    throw new Error(message);
  });
  void world.worker.start();
  await world.clock.settle();
  world.master.last.news();
  world.master.last.send(welcomeOf({ maxFrameBytes: maxFrameBytes as number }));
  world.master.last.send([ping, 1], [grant, 1, 1, 'a', 'x'.repeat(10_000)]);
  await world.clock.settle();
  return world;
}

describe('a welcome', () => {
  it.each([0, -1, 1, 100, 65_535, 65_536.5, Number.NaN, Number.POSITIVE_INFINITY, '65536', undefined])(
    'with a largest frame that no answer is sure to fit into is refused: %s',
    async (maxFrameBytes) => {
      const { worker, master, events } = await welcomedWith(maxFrameBytes);
      expect(master.last.end).toMatch(/^4400 .*maxFrameBytes/);
      expect(master.last.news()).toEqual([]);
      expect(events.map(({ type }) => type)).toEqual(['connecting', 'disconnected']);
      expect(worker.state).toBe('waiting');
    },
  );

  it('with the smallest that is allowed is taken, and every answer fits', async () => {
    const { worker, master } = await welcomedWith(65_536);
    expect(worker.state).toBe('connected');
    expect(master.last.news()).toEqual([
      [pong, 1],
      [failed, 1, expect.objectContaining({ message: 'x'.repeat(4096) })],
    ]);
  });
});

describe('the description of an error', () => {
  it.each(Object.entries(codecs))('fits into the smallest frame, whatever it consists of, in %s', (_name, codec) => {
    // What takes most room: a control character is six in JSON, one outside of the ASCII three in MessagePack.
    for (const character of ['\u0001', '€', '😀']) {
      const text = character.repeat(100_000);
      const error = Object.assign(new Error(text), { name: text, stack: text, code: text });
      const frames = encode(codec, [[failed, Number.MAX_SAFE_INTEGER, describeError(error)]], 65_536);
      expect(frames.map(byteLength)).toEqual([expect.any(Number)]);
      expect(byteLength(frames[0] ?? '')).toBeLessThanOrEqual(65_536);
    }
  });
});
