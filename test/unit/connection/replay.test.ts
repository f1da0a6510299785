import { describe, expect, it } from 'vitest';
import { Replay } from '../../../src/connection/replay.ts';

const KEPT_BYTES = 4 * 1024 * 1024;
const FRAME_BYTES = 128;

describe('Replay', () => {
  it('keeps frames in their order until they are known to have come', () => {
    const replay = new Replay(0);
    for (const frame of ['a', 'b', 'c']) replay.keep(frame);
    replay.confirm(1);
    expect(replay.kept).toEqual(['b', 'c']);
    replay.keep('d');
    replay.confirm(3);
    expect(replay.kept).toEqual(['d']);
    replay.confirm(4);
    expect(replay.kept).toEqual([]);
    replay.keep('e');
    expect(replay.kept).toEqual(['e']);
  });

  it('knows what it has for a peer: not for one that has more than was sent, or less than it has said', () => {
    const replay = new Replay(0);
    for (const frame of ['a', 'b', 'c']) replay.keep(frame);
    replay.confirm(2);
    expect([0, 1, 2, 3, 4].map((frames) => replay.reachesBackTo(frames))).toEqual([false, false, true, true, false]);
    // As a frame says that is sent again.
    replay.confirm(1);
    expect([replay.kept, replay.sent]).toEqual([['c'], 3]);
  });

  it('has room for 4 MiB, the weight of the frames themselves included', () => {
    const replay = new Replay(0);
    expect(replay.roomBytes).toBe(KEPT_BYTES);
    replay.keep('x'.repeat(1000));
    replay.keep(new Uint8Array(2000));
    expect(replay.roomBytes).toBe(KEPT_BYTES - 3000 - 2 * FRAME_BYTES);
    replay.confirm(1);
    expect(replay.roomBytes).toBe(KEPT_BYTES - 2000 - FRAME_BYTES);
    replay.keep(new Uint8Array(2 * KEPT_BYTES));
    expect(replay.roomBytes).toBe(0);
    replay.confirm(3);
    expect(replay.roomBytes).toBe(KEPT_BYTES);
  });

  it('says that it is time to tell what came after 32 frames, or 64 KiB', () => {
    const replay = new Replay(5);
    replay.keep(new Uint8Array(1));
    expect(replay.isUntold).toBe(false);
    for (let frame = 1; frame < 32; frame += 1) expect(replay.noteReceived(10)).toBe(false);
    expect(replay.noteReceived(10)).toBe(true);
    expect([replay.received, replay.isUntold]).toEqual([37, true]);
    replay.noteTold();
    expect(replay.isUntold).toBe(false);
    expect(replay.noteReceived(65_535)).toBe(false);
    expect(replay.noteReceived(1)).toBe(true);
  });
});
