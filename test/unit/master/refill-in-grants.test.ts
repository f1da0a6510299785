// Room that comes again in the midst of a batch of grants.
import { expect, it } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import type { VirtualSocket } from '../../../src/testing/virtual-socket.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

it('grants in the order of the queue all the same', async () => {
  const master = new VirtualMaster<unknown, unknown>({ maxFrameBytes: 1_048_576, socketTimeoutMs: 600_000 });
  const { clock, scheduler } = master;
  const peer = await master.connect();
  const socket = master.network.lastLink.server as VirtualSocket;
  peer.send(helloOf({ concurrency: 1, prefetch: 400 }));
  await clock.settle();
  peer.news();
  socket.stall();
  for (let n = 0; n < 11; n += 1) void scheduler.put(new Uint8Array(100_000));
  await clock.settle();
  // Nobody tells: it is looked at in ten milliseconds.
  socket.flow(false);
  await clock.settle();
  const big = peer.news().flatMap((message) => (message[0] === MessageType.grant ? [message[1]] : []));
  peer.send(...big.map((lease): [5, number, null] => [MessageType.done, lease, null]));
  await clock.settle();
  for (let n = 0; n < 700; n += 1) void scheduler.put(n);
  await clock.settle();
  const tasks = peer.news().flatMap((message) => (message[0] === MessageType.grant ? [message[4]] : []));
  expect(tasks.length).toBe(401);
  expect(tasks).toEqual(Array.from({ length: 401 }, (_, n) => n));
});
