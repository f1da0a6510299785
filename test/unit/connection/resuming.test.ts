import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/connection/conversation.ts';
import type { Frame, Socket } from '../../../src/ports.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { type MasterMessage, MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { encodeOne, masterMessages } from '../../support/frames.ts';

const MIB = 1024 * 1024;

class NotingSocket implements Socket {
  readonly subprotocol = '';
  readonly bufferedBytes = 0;
  readonly frames: Frame[] = [];
  readonly ends: string[] = [];

  send(frame: Frame): void {
    this.frames.push(frame);
  }

  close(code: number): void {
    this.ends.push(`close ${code}`);
  }

  terminate(): void {
    this.ends.push('terminate');
  }

  get messages(): MasterMessage[] {
    return masterMessages(this.frames).flat();
  }
}

function setUp({ isKept = true, waits = true } = {}) {
  const clock = new VirtualClock();
  const sockets = [new NotingSocket(), new NotingSocket()] as const;
  const notes: string[] = [];
  const options = { codec: codecs.msgpack, clock, maxFrameBytes: 10 * MIB, decode: decodeWorkerFrame };
  const conversation = new Conversation<MasterMessage, WorkerMessage>(sockets[0], options, {
    received: ([type]) => notes.push(`received ${type}`),
    roomAgain: () => notes.push('room'),
    interrupted(code, reason) {
      notes.push(`interrupted ${code} ${reason}`);
      return waits;
    },
    ended: (code, reason) => notes.push(`ended ${code} ${reason}`),
  });
  if (isKept) conversation.keepFrames(0);
  const receive = (socket: Socket, ...messages: WorkerMessage[]): void =>
    conversation.frameReceived(socket, encodeOne(codecs.msgpack, messages));
  return { clock, conversation, first: sockets[0], second: sockets[1], notes, receive };
}

const ping = (nonce: number): MasterMessage => [MessageType.ping, nonce];
const pong: WorkerMessage = [MessageType.pong, 1];
const received = (frames: number): WorkerMessage => [MessageType.received, frames];

describe('a Conversation that keeps its frames', () => {
  it('waits for another socket when its own is lost, and sends there what has not come, and what was said since', async () => {
    const { clock, conversation, first, second, notes } = setUp();
    for (const nonce of [1, 2, 3]) conversation.sendNow(ping(nonce));
    conversation.socketClosed(first, 1006, 'gone');
    expect([conversation.isOpen, conversation.isInterrupted]).toEqual([true, true]);
    conversation.sendNow(ping(4));
    conversation.send(ping(5));
    await clock.settle();
    expect(first.messages).toEqual([1, 2, 3].map(ping));
    expect(conversation.canResume(1)).toBe(true);
    conversation.resume(second, 1);
    conversation.sendNow(ping(6));
    expect(conversation.isInterrupted).toBe(false);
    expect(second.messages).toEqual([2, 3, 4, 5, 6].map(ping));
    expect(notes).toEqual(['interrupted 1006 gone', 'room']);
  });

  it('sends what was said in the very turn in which the connection was lost', async () => {
    const { clock, conversation, first, second } = setUp();
    conversation.send(ping(1));
    conversation.socketClosed(first, 1006, '');
    conversation.resume(second, 0);
    await clock.settle();
    expect(second.messages).toEqual([ping(1)]);
  });

  it('takes another socket while it still has one, which is given up, and not listened to any more', () => {
    const { conversation, first, second, notes, receive } = setUp();
    conversation.sendNow(ping(1));
    conversation.resume(second, 0);
    expect(first.ends).toEqual(['terminate']);
    conversation.socketClosed(first, 1006, '');
    receive(first, pong);
    receive(second, pong);
    expect(notes).toEqual(['room', `received ${MessageType.pong}`]);
    expect(conversation.framesReceived).toBe(1);
  });

  it('waits for another one, too, when the peer is silent', () => {
    const { conversation, first, notes } = setUp();
    conversation.giveUp('silent');
    expect(first.ends).toEqual(['terminate']);
    conversation.socketClosed(first, 1006, '');
    expect(notes).toEqual(['interrupted 4410 silent']);
  });

  it.each([1000, 1001, 1009, 4400, 4409, 4500])('is over when its peer closes with %i', (code) => {
    const { conversation, first, notes } = setUp();
    conversation.socketClosed(first, code, 'x');
    expect(notes).toEqual([`ended ${code} x`]);
    expect(conversation.canResume(0)).toBe(false);
  });

  it.each([1005, 1006, 1011, 1012, 1013, 1014])('may go on after %i, which is nobody’s goodbye', (code) => {
    const { conversation, first } = setUp();
    conversation.socketClosed(first, code, '');
    expect(conversation.canResume(0)).toBe(true);
  });

  it('is over if nobody wants to wait', () => {
    const { conversation, first, notes } = setUp({ waits: false });
    conversation.socketClosed(first, 1006, '');
    expect(notes).toEqual(['interrupted 1006 ', 'ended 1006 ']);
    expect(conversation.isOpen).toBe(false);
  });

  it('can be ended while it waits', () => {
    const { conversation, first, second, notes } = setUp();
    conversation.socketClosed(first, 1006, '');
    conversation.end(1001, 'enough');
    conversation.resume(second, 0);
    conversation.sendNow(ping(1));
    expect(notes).toEqual(['interrupted 1006 ', 'ended 1001 enough']);
    expect([first.ends, second.ends, second.frames]).toEqual([[], [], []]);
  });

  it('tells the peer what came, after 32 frames, so that it can forget them', async () => {
    const { clock, conversation, first, receive } = setUp();
    conversation.sendNow(ping(1));
    for (let frame = 0; frame < 31; frame += 1) receive(first, pong);
    await clock.settle();
    expect(first.messages).toEqual([ping(1)]);
    receive(first, pong);
    await clock.settle();
    expect(first.messages).toEqual([ping(1), received(32)]);
    receive(first, pong);
    conversation.tellReceived();
    conversation.tellReceived();
    await clock.settle();
    expect(first.messages).toEqual([ping(1), received(32), received(33)]);
  });

  it('tells nothing of what came before it has said anything itself', async () => {
    const { clock, conversation, first, receive } = setUp();
    for (let frame = 0; frame < 100; frame += 1) receive(first, pong);
    conversation.tellReceived();
    await clock.settle();
    expect(first.messages).toEqual([]);
    conversation.sendNow(ping(1));
    conversation.tellReceived();
    await clock.settle();
    expect(first.messages).toEqual([ping(1), received(100)]);
  });

  it('forgets what the peer says that it has', () => {
    const { conversation, first, second, receive } = setUp();
    for (const nonce of [1, 2, 3]) conversation.sendNow(ping(nonce));
    receive(first, received(2));
    expect(conversation.canResume(1)).toBe(false);
    conversation.resume(second, 2);
    expect(second.messages).toEqual([ping(3)]);
  });

  it.each([4, Number.MAX_SAFE_INTEGER])('ends a peer that says to have %i of 3 frames', (frames) => {
    const { conversation, first, notes, receive } = setUp();
    for (const nonce of [1, 2, 3]) conversation.sendNow(ping(nonce));
    receive(first, received(frames));
    expect(notes).toEqual([`ended 4409 ${frames} frames cannot have come`]);
  });

  it('has no room while 4 MiB are not known to have come, and tells when there is some', () => {
    const { conversation, first, notes, receive } = setUp();
    for (let frame = 0; frame < 4; frame += 1) {
      expect(conversation.roomBytes).toBeGreaterThan(0);
      conversation.sendNow([MessageType.grant, 1, 1, 'k', 'x'.repeat(MIB)]);
    }
    expect(conversation.roomBytes).toBe(0);
    conversation.awaitRoom();
    receive(first, received(1));
    expect(notes).toEqual(['room']);
  });

  it('ends a peer that does not tell to have any of 65536 frames, whatever it has to be sent', () => {
    const { conversation, first, notes } = setUp();
    for (let nonce = 0; nonce < 65_536; nonce += 1) conversation.sendNow(ping(nonce));
    expect([conversation.roomBytes, conversation.isOpen]).toEqual([0, true]);
    conversation.send(ping(65_536));
    conversation.end(1001, 'too late');
    expect(first.ends).toEqual(['close 4409']);
    expect(notes).toEqual(['ended 4409 It does not tell what has come']);
  });

  it('sets no timer for room while it waits for another socket', () => {
    const { clock, conversation, first } = setUp();
    for (let frame = 0; frame < 4; frame += 1) conversation.sendNow([MessageType.grant, 1, 1, 'k', 'x'.repeat(MIB)]);
    conversation.awaitRoom();
    conversation.socketClosed(first, 1006, '');
    conversation.awaitRoom();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is over with its connection once it has forgotten its frames, or has kept none', () => {
    for (const isKept of [true, false]) {
      const { conversation, first, notes } = setUp({ isKept });
      conversation.forgetFrames();
      conversation.socketClosed(first, 1006, '');
      expect(notes).toEqual(['ended 1006 ']);
    }
  });
});
