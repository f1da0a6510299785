// A master that sends a worker what it likes.
import { describe, expect, it } from 'vitest';
import { codecs } from '../../src/protocol/codec.ts';
import { type MasterMessage, type Message, MessageType } from '../../src/protocol/messages.ts';
import { integerBelow, seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { virtualEnvironment } from '../../src/testing/virtual-environment.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';
import { Worker } from '../../src/worker/worker.ts';
import { encodeOne } from '../support/frames.ts';
import { welcomeOf } from '../support/peers.ts';
import { goldenMasterFrames } from '../unit/protocol/golden-frames.ts';
import { FakeSocket } from './fake-socket.ts';
import { FRAMES, leaveOutStacks, prototypeKeys, SEED, withFrame } from './fuzzing.ts';
import { Mutator } from './mutations.ts';

const { grant, cancel, recall, ping, received } = MessageType;

const ROUND = 20;
const welcome = welcomeOf({ resume: { secret: 'secret', window: 1000 } });
const back: MasterMessage = welcomeOf({ resume: { secret: 'secret', window: 1000, received: 1 } });
const valid: readonly (readonly Message[])[] = [
  ...goldenMasterFrames.map(({ messages }) => messages),
  [welcome],
  [back],
  [
    [grant, 1, 1, 'k', 1],
    [grant, 2, 1, 'l', 'task'],
    [recall, 2],
  ],
  [
    [cancel, 1, 'aborted'],
    [recall, 1],
    [ping, 1],
    [received, 1],
  ],
];

leaveOutStacks();

describe.each(Object.values(codecs))('a Worker whom its master sends hostile frames of $subprotocol', (codec) => {
  const frames = Math.ceil(FRAMES / 4);

  it(`raises nothing, and connects on: ${frames} frames`, { timeout: 36e5 }, async () => {
    const random = seededRandom(SEED + 1);
    const mutator = new Mutator(random, codec, valid);
    const clock = new VirtualClock();
    const prototypes = prototypeKeys();
    const sockets: FakeSocket[] = [];
    const environment = {
      ...virtualEnvironment({ clock, network: new VirtualNetwork() }),
      random,
      connect: (
        _url: string,
        _subprotocols: readonly string[],
        listener: ConstructorParameters<typeof FakeSocket>[1],
      ) => {
        const socket = new FakeSocket(codec.subprotocol, listener);
        sockets.push(socket);
        clock.soon(() => {
          socket.open();
          if (random() < 0.9) socket.hear(encodeOne(codec, [random() < 0.8 ? welcome : back]));
        });
        return socket;
      },
    };
    let tasks = 0;
    const worker = new Worker<unknown, unknown>(
      (task) => {
        tasks += 1;
        if (tasks % 3 === 0) throw new Error('As it happens');
        return tasks % 3 === 1 ? task : new Promise((resolve) => clock.setTimer(100, () => resolve(task)));
      },
      {
        codec: codec === codecs.json ? 'json' : 'msgpack',
        concurrency: 3,
        reconnect: { base: 10, cap: 50 },
        grace: 100,
      },
      environment,
    );
    void worker.start();
    for (let index = 0; index < frames; index += 1) {
      const frame = mutator.next();
      withFrame(index, frame, () => sockets.at(-1)?.hear(frame));
      if (sockets.at(-1)?.isClosed === true || index % ROUND === 0) await clock.advance(10 + integerBelow(random, 60));
      if (worker.state === 'stopped') void worker.start();
    }
    expect(prototypeKeys()).toEqual(prototypes);
    expect(sockets.length).toBeGreaterThan(frames / 50);
    expect(tasks).toBeGreaterThan(frames / 100);
    const stopped = worker.stop();
    await clock.advance(10_000);
    await stopped;
    expect([worker.state, clock.pendingTimers]).toEqual(['stopped', 0]);
  });
});
