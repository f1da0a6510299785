import { describe, expect, it } from 'vitest';
import type { Socket, SocketListener } from '../../src/ports.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { ChooseSubprotocol } from '../../src/testing/virtual-link.ts';
import { VirtualNetwork } from '../../src/testing/virtual-network.ts';

/** Notes what a socket tells, and when. */
class Diary implements SocketListener {
  readonly entries: string[] = [];
  readonly frames: unknown[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  opened(): void {
    this.#note('opened');
  }

  received(frame: unknown): void {
    this.frames.push(frame);
    this.#note(typeof frame === 'string' ? frame : 'bytes');
  }

  drained(): void {
    this.#note('drained');
  }

  closed(code: number, reason: string): void {
    this.#note(`closed ${code} ${reason}`.trim());
  }

  #note(what: string): void {
    this.entries.push(`${this.#clock.now()} ${what}`);
  }
}

interface ServerEnd {
  readonly socket: Socket;
  readonly diary: Diary;
}

function setUp(choose?: ChooseSubprotocol) {
  const clock = new VirtualClock(0);
  const network = new VirtualNetwork({ latencyMs: 10 });
  const accepted: ServerEnd[] = [];
  const unlisten = network.listen(
    clock,
    (adopt) => {
      const diary = new Diary(clock);
      accepted.push({ socket: adopt(diary), diary });
    },
    choose,
  );
  const diary = new Diary(clock);
  const dial = () => network.connectorOf(clock)('ws://virtual/', ['one', 'two'], diary);
  const server = (): ServerEnd => accepted[0] ?? expect.unreachable('nobody connected');
  return { clock, network, accepted, unlisten, diary, dial, server };
}

async function connected() {
  const parts = setUp();
  const client = parts.dial();
  await parts.clock.advance(20);
  return { ...parts, client, link: parts.network.lastLink };
}

describe('VirtualNetwork', () => {
  it('opens after a round trip, with the subprotocol that the server chose', async () => {
    const { clock, diary, dial, server } = setUp((offered) => offered[1]);
    const client = dial();
    await clock.advance(20);
    expect(diary.entries).toEqual(['20 opened']);
    expect([client.subprotocol, server().socket.subprotocol]).toEqual(['two', 'two']);
  });

  it('refuses with 1006 where no server listens, or it takes no subprotocol', async () => {
    for (const refuse of ['unlisten', 'choose'] as const) {
      const { clock, diary, dial, unlisten, accepted } = setUp(refuse === 'choose' ? () => undefined : undefined);
      if (refuse === 'unlisten') unlisten();
      dial();
      await clock.advance(1000);
      expect(diary.entries).toEqual(['20 closed 1006']);
      expect(accepted).toEqual([]);
    }
  });

  it('answers nobody while it is silent', async () => {
    const { clock, network, diary, dial } = setUp();
    network.isSilent = true;
    dial();
    await clock.advance(100_000);
    expect(diary.entries).toEqual([]);
  });

  it('carries frames in order, whatever becomes of the latency', async () => {
    const { clock, client, link, server } = await connected();
    link.latencyMs = 100;
    client.send('first');
    link.latencyMs = 1;
    client.send('second');
    await clock.advance(1000);
    expect(server().diary.entries).toEqual(['120 first', '120 second']);
  });

  it('carries bytes as they were when they were sent', async () => {
    const { clock, client, server } = await connected();
    const bytes = Uint8Array.of(9, 1, 2).subarray(1);
    client.send(bytes);
    bytes.fill(0);
    await clock.advance(10);
    const [frame] = server().diary.frames;
    expect(frame).toBeInstanceOf(ArrayBuffer);
    expect(frame).toEqual(Uint8Array.of(1, 2).buffer);
  });

  it('closes either side with the code of the one that closed', async () => {
    for (const side of ['client', 'server'] as const) {
      const { clock, client, diary, server } = await connected();
      const closing = side === 'client' ? client : server().socket;
      const [near, far] = side === 'client' ? [diary, server().diary] : [server().diary, diary];
      closing.send('last words');
      closing.close(4400, 'why');
      closing.send('too late');
      await clock.advance(1000);
      expect(far.entries.slice(-2)).toEqual(['30 last words', '30 closed 4400 why']);
      expect(near.entries.at(-1)).toBe('40 closed 4400 why');
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('throws on close codes and reasons that a WebSocket does not take', async () => {
    const { client, server } = await connected();
    expect(() => client.close(1001, '')).toThrow(RangeError);
    expect(() => server().socket.close(1006, '')).toThrow(RangeError);
    expect(() => client.close(4400, 'x'.repeat(124))).toThrow(RangeError);
    expect(() => server().socket.close(1001, '')).not.toThrow();
  });

  it('tells both ends of a connection that is reset, and loses what was on its way', async () => {
    const { clock, client, link, diary, server } = await connected();
    client.send('lost');
    link.reset();
    await clock.advance(1000);
    expect(diary.entries.at(-1)).toBe('20 closed 1006');
    expect(server().diary.entries).toEqual(['20 closed 1006']);
  });

  it('tells nobody of a connection that is dropped, until the side that closes has waited long enough', async () => {
    const { clock, client, link, diary, server } = await connected();
    link.drop();
    client.send('lost');
    client.close(1000, 'bye');
    await clock.advance(29_999);
    expect(diary.entries).toEqual(['20 opened']);
    await clock.advance(1);
    expect(diary.entries.at(-1)).toBe('30020 closed 1006');
    expect(server().diary.entries).toEqual([]);
  });

  it('can drop one direction only', async () => {
    const { clock, client, link, diary, server } = await connected();
    link.drop('up');
    client.send('lost');
    server().socket.send('heard');
    await clock.advance(10);
    expect(server().diary.entries).toEqual([]);
    expect(diary.entries.at(-1)).toBe('30 heard');
  });

  it('ends at once for the side that terminates, and with 1006 for both', async () => {
    const { clock, client, diary, server } = await connected();
    client.terminate();
    await clock.advance(100);
    expect(diary.entries.at(-1)).toBe('20 closed 1006');
    expect(server().diary.entries).toEqual(['30 closed 1006']);
  });

  it('never opens a connection that was terminated before', async () => {
    const { clock, diary, dial, accepted } = setUp();
    dial().terminate();
    await clock.advance(100);
    expect(diary.entries).toEqual(['0 closed 1006']);
    expect(accepted).toEqual([]);
  });
});

describe('a line whose packets take longer or shorter', () => {
  it('keeps their order', async () => {
    const clock = new VirtualClock();
    const network = new VirtualNetwork({ latencyMs: 5, jitterMs: 50, random: seededRandom(1) });
    const accepted: Diary[] = [];
    network.listen(clock, (adopt) => {
      const diary = new Diary(clock);
      accepted.push(diary);
      return adopt(diary);
    });
    const socket = network.connectorOf(clock)('ws://virtual/', ['one'], new Diary(clock));
    await clock.advance(200);
    const texts = Array.from({ length: 500 }, (_, index) => String(index));
    for (const text of texts) {
      socket.send(text);
      await clock.advance(0.7);
    }
    await clock.advance(100);
    expect(accepted[0]?.frames).toEqual(texts);
    expect(new Set(accepted[0]?.entries.map((entry) => entry.split(' ')[0])).size).toBeGreaterThan(50);
  });
});
