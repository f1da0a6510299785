import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/connection/conversation.ts';
import { Replay } from '../../../src/connection/replay.ts';
import { type Keeper, ReplayStore } from '../../../src/connection/replay-store.ts';
import type { Socket } from '../../../src/ports.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const FRAME_BYTES = 128;
/** A frame that takes so much, all in all. */
const frameOf = (byteLength: number) => new Uint8Array(byteLength - FRAME_BYTES);

/** Three that keep frames in a store of so many bytes. */
function setUp(maxBytes: number) {
  const store = new ReplayStore(maxBytes);
  const [a, b, c] = [new Replay(0, store), new Replay(0, store), new Replay(0, store)];
  return { store, a, b, c, kept: () => [a, b, c].map(({ kept }) => kept.length) };
}

describe('ReplayStore', () => {
  it('has the one drop its frames whose peer has told nothing for longest, when there are too many', () => {
    const { store, a, b, c, kept } = setUp(6000);
    for (const replay of [a, b, c]) for (const _ of [1, 2]) replay.keep(frameOf(1000));
    expect([kept(), store.byteLength]).toEqual([[2, 2, 2], 6000]);
    for (const replay of [a, b, c]) replay.keep(frameOf(200));
    expect([kept(), store.byteLength]).toEqual([[0, 3, 3], 4400]);
  });

  it('takes nothing from who keeps little, for who keeps much and tells a little now and then', () => {
    const { a, b, c, kept } = setUp(10_000);
    a.keep(frameOf(1000));
    for (let frame = 0; frame < 20; frame += 1) {
      for (const replay of [b, c]) {
        replay.keep(frameOf(1000));
        if (frame % 5 === 0) replay.confirm(frame / 5);
      }
    }
    expect(kept()[0]).toBe(1);
  });

  it('asks nobody who keeps nothing any more', () => {
    const store = new ReplayStore(1000);
    const drops: string[] = [];
    const keeper = (name: string): Keeper => ({
      byteLength: 600,
      drop() {
        drops.push(name);
        store.remove(this, 600, true);
      },
    });
    const [first, second, third] = ['first', 'second', 'third'].map(keeper);
    if (first === undefined || second === undefined || third === undefined) return;
    store.add(first, 600);
    store.remove(first, 600, true);
    store.add(second, 600);
    store.add(third, 600);
    expect(drops).toEqual(['second']);
  });

  it('spares the one whose peer has just told that some have come', () => {
    const { a, b, c, kept } = setUp(7500);
    for (const replay of [a, b, c]) for (const _ of [1, 2]) replay.keep(frameOf(1000));
    a.confirm(1);
    for (const replay of [a, a, b]) replay.keep(frameOf(1000));
    expect(kept()).toEqual([3, 0, 2]);
  });

  it('keeps not even the latest frame, if that is too much by itself', () => {
    const { store, a, kept } = setUp(500);
    a.keep(frameOf(1000));
    expect([kept(), store.byteLength]).toEqual([[0, 0, 0], 0]);
  });

  it('is empty when all has come', () => {
    const { store, a, b } = setUp(5000);
    for (const replay of [a, a, b]) replay.keep(frameOf(1000));
    a.confirm(1);
    expect(store.byteLength).toBe(2000);
    a.confirm(2);
    b.confirm(1);
    expect(store.byteLength).toBe(0);
  });

  it('lets a session go on whose frames were dropped, if they had come', () => {
    const { a, b } = setUp(2000);
    for (const _ of [1, 2]) a.keep(frameOf(1000));
    b.keep(frameOf(500));
    expect([0, 1, 2, 3].map((frames) => a.reachesBackTo(frames))).toEqual([false, false, true, false]);
    a.keep(frameOf(500));
    expect([1, 2, 3, 4].map((frames) => a.reachesBackTo(frames))).toEqual([false, true, true, false]);
    // What the peer tells of them at last is news all the same, once.
    expect([1, 2, 2, 1, 3].map((frames) => a.confirm(frames))).toEqual([true, true, false, false, true]);
  });

  it.each(['end', 'abandon', 'forgetFrames'] as const)('keeps nothing of a conversation after its %s', (end) => {
    const store = new ReplayStore();
    const clock = new VirtualClock();
    const socket: Socket = { subprotocol: '', bufferedBytes: 0, send() {}, close() {}, terminate() {} };
    const options = { codec: codecs.msgpack, clock, maxFrameBytes: 1000, decode: decodeWorkerFrame };
    const conversation = new Conversation(socket, options, { received() {}, ended() {} });
    conversation.keepFrames(0, store);
    conversation.sendNow([MessageType.ping, 1]);
    expect(store.byteLength).toBeGreaterThan(FRAME_BYTES);
    if (end === 'end') conversation.end(1000, '');
    else conversation[end]();
    expect(store.byteLength).toBe(0);
  });
});
