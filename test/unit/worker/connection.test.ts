// One try of a worker to connect, over a socket in the test's hands.
import { expect, it } from 'vitest';
import type { Socket, SocketListener } from '../../../src/ports.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import type { WorkerDescription } from '../../../src/protocol/messages.ts';
import { TimerQueue } from '../../../src/timer-queue.ts';
import { Connection } from '../../../src/worker/connection.ts';
import { encodeOne } from '../../support/frames.ts';
import { welcomeOf } from '../../support/peers.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const description: WorkerDescription = { version: 1, name: 'w', platform: 'test', concurrency: 1, prefetch: 0 };

it('takes no welcome that was read after the try was given up', async () => {
  const clock = new VirtualClock(0);
  const notes: string[] = [];
  const listeners: SocketListener[] = [];
  const socket: Socket = {
    subprotocol: codecs.msgpack.subprotocol,
    bufferedBytes: 0,
    send() {},
    close() {},
    terminate: () => notes.push('terminate'),
  };
  const connect = (_url: string, _subprotocols: readonly string[], listener: SocketListener): Socket => {
    listeners.push(listener);
    return socket;
  };
  new Connection('ws://x/', [socket.subprotocol], connect, {
    clock,
    timers: new TimerQueue(clock),
    connectTimeoutMs: 1000,
    describe: () => description,
    welcomed: () => notes.push('welcomed'),
    failed: (code) => notes.push(`failed ${code}`),
  });
  const [listener] = listeners;
  listener?.opened();
  await clock.advance(1000);
  // As a socket may have read it before it was cut off.
  listener?.received(encodeOne(codecs.msgpack, [welcomeOf()]));
  listener?.closed(1006, '');
  expect(notes).toEqual(['terminate', 'failed 4410']);
});
