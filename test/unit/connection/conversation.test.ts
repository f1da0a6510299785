import { describe, expect, it } from 'vitest';
import { Conversation, type ConversationListener } from '../../../src/connection/conversation.ts';
import { unsupported } from '../../../src/connection/reading.ts';
import type { Frame, Socket } from '../../../src/ports.ts';
import { type CodecName, codecs } from '../../../src/protocol/codec.ts';
import { decodeWorkerFrame } from '../../../src/protocol/decode.ts';
import { type MasterMessage, MessageType, type WorkerMessage } from '../../../src/protocol/messages.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { byteLength, encodeOne, masterMessages } from '../../support/frames.ts';

/** A socket that only notes what it is told to do. */
class NotingSocket implements Socket {
  readonly subprotocol = '';
  bufferedBytes = 0;
  readonly frames: Frame[] = [];
  readonly notes: string[] = [];

  send(frame: Frame): void {
    this.frames.push(frame);
    this.notes.push('send');
  }

  close(code: number, reason: string): void {
    this.notes.push(`close ${code} ${reason}`);
  }

  terminate(): void {
    this.notes.push('terminate');
  }
}

class NotingListener implements ConversationListener<WorkerMessage> {
  readonly received: (message: WorkerMessage) => void;
  readonly messages: WorkerMessage[] = [];
  readonly ends: string[] = [];

  constructor(onMessage: (message: WorkerMessage) => void = () => {}) {
    this.received = (message) => {
      this.messages.push(message);
      onMessage(message);
    };
  }

  ended(code: number, reason: string): void {
    this.ends.push(`${code} ${reason}`);
  }
}

function setUp(onMessage?: (message: WorkerMessage) => void, codecName: CodecName = 'msgpack') {
  const clock = new VirtualClock();
  const socket = new NotingSocket();
  const listener = new NotingListener(onMessage);
  const codec = codecs[codecName];
  const options = { codec, clock, maxFrameBytes: 1000, decode: decodeWorkerFrame };
  const conversation = new Conversation<MasterMessage, WorkerMessage>(socket, options, listener);
  const receive = (...messages: WorkerMessage[]): void =>
    conversation.frameReceived(socket, encodeOne(codec, messages));
  const receiveEmptyFrame = (): void => conversation.frameReceived(socket, Uint8Array.of(0x90));
  return { clock, socket, listener, conversation, receive, receiveEmptyFrame };
}

const ping = (nonce: number): MasterMessage => [MessageType.ping, nonce];
const pong = (nonce: number): WorkerMessage => [MessageType.pong, nonce];

describe('Conversation', () => {
  it('sends the messages of one turn as one frame', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.send(ping(1));
    conversation.send(ping(2));
    void Promise.resolve().then(() => conversation.send(ping(3)));
    expect(socket.frames).toEqual([]);
    await clock.settle();
    expect(masterMessages(socket.frames)).toEqual([[ping(1), ping(2), ping(3)]]);
  });

  it('sends a message at once that must not wait, behind what waits', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.send(ping(1));
    conversation.sendNow(ping(2));
    expect(masterMessages(socket.frames)).toEqual([[ping(1), ping(2)]]);
    conversation.send(ping(3));
    await clock.settle();
    expect(masterMessages(socket.frames)).toEqual([[ping(1), ping(2)], [ping(3)]]);
  });

  it('sends what a getter of a message says behind that message, also if that cannot be sent', async () => {
    const { clock, socket, conversation } = setUp();
    const speaking = (nonce: number, value: unknown): MasterMessage => {
      const task = {
        get says() {
          conversation.send(ping(nonce));
          return value;
        },
      };
      return [MessageType.grant, nonce, 1, 'key', task];
    };
    conversation.send(speaking(1, 'something'));
    expect(() => conversation.send(speaking(2, () => {}))).toThrow('Cannot cross the wire');
    await clock.settle();
    expect(masterMessages(socket.frames)).toEqual([
      [[MessageType.grant, 1, 1, 'key', { says: 'something' }], ping(1), ping(2)],
    ]);
  });

  it('ends behind the message of which a getter has ended it, and sends all that was said before', () => {
    const { socket, conversation } = setUp();
    const task = {
      get says() {
        conversation.send(ping(2));
        conversation.send(ping(3));
        conversation.end(1000, 'enough');
        conversation.end(4409, 'and again');
        conversation.send(ping(4));
        return 'something';
      },
    };
    conversation.send(ping(1));
    conversation.send([MessageType.grant, 1, 1, 'key', task]);
    expect(masterMessages(socket.frames)).toEqual([
      [ping(1), [MessageType.grant, 1, 1, 'key', { says: 'something' }], ping(2), ping(3)],
    ]);
    expect([conversation.isOpen, socket.notes]).toEqual([false, ['send', 'close 1000 enough']]);
  });

  it('asks the clock once for all messages of a turn', async () => {
    const { clock, conversation } = setUp();
    let asked = 0;
    const { soon } = clock;
    clock.soon = (callback) => {
      asked += 1;
      soon.call(clock, callback);
    };
    for (let nonce = 0; nonce < 100; nonce += 1) conversation.send(ping(nonce));
    expect(asked).toBe(1);
    await clock.settle();
    conversation.send(ping(100));
    expect(asked).toBe(2);
  });

  it('sends a lone message by itself, without waiting for time to go by', async () => {
    const { clock, socket, conversation } = setUp();
    for (const nonce of [1, 2]) {
      conversation.send(ping(nonce));
      await clock.settle();
    }
    expect(masterMessages(socket.frames)).toEqual([[ping(1)], [ping(2)]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('splits what does not fit into one frame', async () => {
    const { clock, socket, conversation } = setUp();
    const messages = Array.from({ length: 1000 }, (_, nonce) => ping(nonce));
    for (const message of messages) conversation.send(message);
    await clock.settle();
    expect(socket.frames.length).toBeGreaterThan(3);
    for (const frame of socket.frames) expect(byteLength(frame)).toBeLessThanOrEqual(1000);
    expect(masterMessages(socket.frames).flat()).toEqual(messages);
  });

  it('refuses a message that is too large, or cannot be written, and sends the others', async () => {
    const { clock, socket, conversation } = setUp();
    const grant = (task: unknown): MasterMessage => [MessageType.grant, 1, 1, 'k', task];
    conversation.send(ping(1));
    expect(() => conversation.send(grant('x'.repeat(2000)))).toThrow(
      expect.objectContaining({ code: 'TASKDIST_TOO_LARGE' }),
    );
    expect(() => conversation.send(grant(() => 1))).toThrow(
      expect.objectContaining({ code: 'TASKDIST_NOT_SERIALIZABLE' }),
    );
    conversation.maxFrameBytes = 3000;
    conversation.send(grant('x'.repeat(2000)));
    await clock.settle();
    expect(masterMessages(socket.frames)).toEqual([[ping(1), grant('x'.repeat(2000))]]);
  });

  it('sends what is waiting before it ends', async () => {
    const { clock, socket, conversation, listener } = setUp();
    conversation.send(ping(1));
    conversation.send(ping(2));
    conversation.end(1000, 'bye');
    expect(socket.notes).toEqual(['send', 'close 1000 bye']);
    expect(masterMessages(socket.frames)).toEqual([[ping(1), ping(2)]]);
    expect(listener.ends).toEqual(['1000 bye']);
    await clock.settle();
    expect(socket.notes).toHaveLength(2);
  });

  it('closes with a reason that a WebSocket takes, and tells the whole of it here', () => {
    const { socket, conversation, listener } = setUp();
    conversation.end(4409, 'é'.repeat(100));
    expect(socket.notes).toEqual([`close 4409 ${'é'.repeat(61)}`]);
    expect(listener.ends).toEqual([`4409 ${'é'.repeat(100)}`]);
  });

  it('delivers the messages of a frame in their order', () => {
    const { listener, receive, receiveEmptyFrame } = setUp();
    receive(pong(1), pong(2));
    receiveEmptyFrame();
    receive(pong(3));
    expect(listener.messages).toEqual([pong(1), pong(2), pong(3)]);
  });

  it('delivers nothing after the end, not even the rest of the frame', () => {
    const { listener, receive, conversation } = setUp(() => conversation.end(4409, 'enough'));
    receive(pong(1), pong(2));
    receive(pong(3));
    expect(listener.messages).toEqual([pong(1)]);
    expect(listener.ends).toEqual(['4409 enough']);
  });

  it('sends nothing after the end', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.end(1000, 'bye');
    conversation.send(ping(1));
    expect(() => conversation.send([MessageType.grant, 1, 1, 'k', () => 1])).not.toThrow();
    await clock.settle();
    expect(socket.notes).toEqual(['close 1000 bye']);
  });

  it('does not send what was waiting when the socket closed', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.send(ping(1));
    conversation.socketClosed(socket, 1006, '');
    await clock.settle();
    expect(socket.notes).toEqual([]);
  });

  it.each<[string, (conversation: Conversation<MasterMessage, WorkerMessage>, socket: Socket) => void, string]>([
    ['it is ended', (conversation) => conversation.end(1000, 'bye'), '1000 bye'],
    ['the socket closes', (conversation, socket) => conversation.socketClosed(socket, 1001, 'away'), '1001 away'],
    ['the peer is given up', (conversation) => conversation.giveUp('silent'), '4410 silent'],
    [
      'the peer sends nonsense',
      (conversation, socket) => conversation.frameReceived(socket, 'nonsense'),
      '4400 Not a frame: ',
    ],
  ])('tells its end once, whatever comes after it: %s', (_, end, told) => {
    const { socket, conversation, listener } = setUp();
    expect(conversation.isOpen).toBe(true);
    end(conversation, socket);
    conversation.end(1001, 'again');
    conversation.socketClosed(socket, 1006, 'again');
    conversation.giveUp('again');
    conversation.frameReceived(socket, 'again');
    expect(conversation.isOpen).toBe(false);
    expect(listener.ends).toHaveLength(1);
    expect(listener.ends[0]).toMatch(told);
  });

  it('cuts off a peer that does not answer the closing handshake within a second', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.end(1000, 'bye');
    await clock.advance(999);
    expect(socket.notes).toEqual(['close 1000 bye']);
    await clock.advance(1);
    expect(socket.notes).toEqual(['close 1000 bye', 'terminate']);
  });

  it('leaves no timer when the peer answers the closing handshake', async () => {
    const { clock, socket, conversation } = setUp();
    conversation.end(1000, 'bye');
    conversation.socketClosed(socket, 1000, 'bye');
    await clock.advance(5000);
    expect([clock.pendingTimers, socket.notes]).toEqual([0, ['close 1000 bye']]);
  });

  it('cuts off a peer that is given up', () => {
    const { socket, conversation } = setUp();
    conversation.send(ping(1));
    conversation.giveUp('silent');
    expect(socket.notes).toEqual(['terminate']);
  });

  it.each<[string, unknown]>([
    ['text where bytes were agreed on', '[[10,1]]'],
    ['bytes that mean nothing', Uint8Array.of(0xc1, 0xff)],
    ['nothing', new ArrayBuffer(0)],
    ['no frame at all', undefined],
    ['a map where an array belongs', Uint8Array.of(0x80)],
    ['a message of its own kind', encodeOne(codecs.msgpack, [[MessageType.ping, 1]])],
    ['one bad message among good ones', encodeOne(codecs.msgpack, [pong(1), pong(-1), pong(3)])],
    ['a blob', new Blob(['x'])],
  ])('ends with 4400 at a bad frame, and delivers none of it: %s', (_, frame) => {
    const { socket, conversation, listener } = setUp();
    expect(() => conversation.frameReceived(socket, frame)).not.toThrow();
    expect(listener.messages).toEqual([]);
    expect(socket.notes).toEqual([expect.stringMatching(/^close 4400 ./)]);
    expect(listener.ends).toEqual([expect.stringMatching(/^4400 ./)]);
  });

  it('ends with 4406 at another version, and says what to do', () => {
    const { socket, conversation, listener } = setUp(undefined, 'json');
    conversation.frameReceived(socket, '[[0,{"version":2,"title":"changed in version 2"}]]');
    expect(socket.notes).toEqual([`close 4406 ${unsupported('version 2')}`]);
    expect(unsupported('version 2')).toMatch(/protocol v1, the other version 2\. Update/);
    expect(listener.messages).toEqual([]);
  });

  it('says what is unsupported in less than a close reason may have', () => {
    expect(unsupported('x'.repeat(1000)).length).toBeLessThanOrEqual(123);
  });

  it('knows when it heard its peer last', async () => {
    const { clock, conversation, receiveEmptyFrame } = setUp();
    const start = clock.now();
    expect(conversation.heardAtMs).toBe(start);
    await clock.advance(70);
    receiveEmptyFrame();
    expect(conversation.heardAtMs).toBe(start + 70);
    await clock.advance(10);
    conversation.send(ping(1));
    await clock.settle();
    expect(conversation.heardAtMs).toBe(start + 70);
  });

  it('goes on with another listener, from the next message', () => {
    const second = new NotingListener();
    const { conversation, listener, receive } = setUp(() => conversation.handTo(second));
    receive(pong(1), pong(2));
    conversation.end(1000, 'bye');
    expect([listener.messages, second.messages]).toEqual([[pong(1)], [pong(2)]]);
    expect([listener.ends, second.ends]).toEqual([[], ['1000 bye']]);
  });
});

describe('a conversation with much to say', () => {
  it('sends so many messages at once, though the turn is not over', async () => {
    const { clock, socket, conversation } = setUp();
    for (let nonce = 0; nonce < 127; nonce += 1) conversation.send(ping(nonce));
    expect(socket.frames).toEqual([]);
    for (let nonce = 127; nonce < 300; nonce += 1) conversation.send(ping(nonce));
    expect(socket.frames.length).toBe(2);
    await clock.settle();
    expect(masterMessages(socket.frames).map(({ length }) => length)).toEqual([128, 128, 44]);
  });

  it('sends so many bytes at once', () => {
    const { socket, conversation } = setUp();
    conversation.maxFrameBytes = 1_000_000;
    const send = (bytes: number): void =>
      void conversation.send([MessageType.grant, 1, 1, 'key', new Uint8Array(bytes)]);
    send(60_000);
    expect(socket.frames).toEqual([]);
    send(6000);
    expect(socket.frames.length).toBe(1);
  });
});
