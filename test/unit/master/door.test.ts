import { describe, expect, it } from 'vitest';
import type { ConnectionRequest } from '../../../src/master/authentication.ts';
import { Door, type DoorRules, Refusal } from '../../../src/master/door.ts';
import { Guest } from '../../../src/master/guest.ts';
import { silentLogger } from '../../../src/ports.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const usual: DoorRules = {
  origins: undefined,
  addressOf: undefined,
  maxConnections: 5,
  maxConnectionsPerAddress: 3,
  maxPending: 4,
  maxPendingPerAddress: 2,
  ban: { strikes: 2, withinMs: 1000, durationMs: 5000 },
};

class DoorTest {
  readonly clock = new VirtualClock(0);
  readonly log: string[] = [];
  readonly door: Door;

  constructor(rules: Partial<DoorRules> = {}) {
    const logger = { ...silentLogger, error: (message: string) => this.log.push(message) };
    this.door = new Door({ ...usual, ...rules }, this.clock, logger, {
      refused: (address, { status }) => this.log.push(`${address} refused: ${status}`),
      banned: (address, reason, durationMs) => this.log.push(`${address} banned for ${durationMs}: ${reason}`),
    });
  }

  knock(address: string, request: Partial<ConnectionRequest> = {}): Guest | Refusal {
    return this.door.knock({ address, headers: {}, url: '/', ...request }, 'example.org');
  }

  /** A guest that is inside, and what has become of its connection. */
  enter(address: string): Guest & { end?: string } {
    const guest: (Guest & { end?: string }) | Refusal = this.knock(address);
    if (guest instanceof Refusal) throw new Error(`Refused with ${guest.status}`);
    guest.connection = {
      dismiss: (code) => {
        guest.end = `${code}`;
        guest.left();
      },
    };
    this.door.enter(guest);
    return guest;
  }

  status(address: string, request?: Partial<ConnectionRequest>): number | undefined {
    const answer = this.knock(address, request);
    return answer instanceof Refusal ? answer.status : undefined;
  }
}

describe('Door', () => {
  it('lets a page of another origin not in, and tells so', () => {
    const test = new DoorTest();
    expect(test.status('192.0.2.1', { origin: 'https://evil.example' })).toBe(403);
    expect(test.status('192.0.2.1', { origin: 'https://example.org' })).toBeUndefined();
    expect(test.log).toEqual(['192.0.2.1 refused: 403']);
  });

  it('tells no more of an origin than is of use', () => {
    const refusal = new DoorTest().knock('192.0.2.1', { origin: `https://${'x'.repeat(10_000)}` });
    expect(refusal).toMatchObject({ status: 403, reason: expect.stringMatching(/^Pages of https:\/\/x{248} may not/) });
  });

  it('lets in so many connections of one address, and one for each that has left', () => {
    const test = new DoorTest();
    const guests = [1, 2, 3].map(() => {
      const guest = test.enter('192.0.2.1');
      guest.greeted();
      return guest;
    });
    expect(test.status('192.0.2.1')).toBe(429);
    expect(test.status('192.0.2.2')).toBeUndefined();
    guests[0]?.left();
    expect(test.status('192.0.2.1')).toBeUndefined();
  });

  it('takes all of a /64 for one address', () => {
    const test = new DoorTest();
    for (const last of ['1', '2', '3']) test.enter(`2001:db8::${last}`).greeted();
    expect(test.status('2001:db8::4')).toBe(429);
    expect(test.status('2001:db8:0:1::4')).toBeUndefined();
  });

  it('lets in so many connections in all', () => {
    const test = new DoorTest();
    for (let index = 0; index < 5; index += 1) test.enter(`192.0.2.${index}`).greeted();
    expect(test.status('192.0.2.9')).toBe(503);
  });

  it('lets in so many of one address that have not said hello', () => {
    const test = new DoorTest();
    const [first] = [test.enter('192.0.2.1'), test.enter('192.0.2.1')];
    expect(test.status('192.0.2.1')).toBe(429);
    first?.greeted();
    expect(test.status('192.0.2.1')).toBeUndefined();
  });

  it('ends the one that has not said hello for the longest, where there are too many of them', () => {
    const test = new DoorTest({ maxConnections: 100 });
    const guests = [1, 2, 3, 4].map((index) => test.enter(`192.0.2.${index}`));
    guests[0]?.greeted();
    const fifth = test.enter('192.0.2.5');
    expect(guests.map(({ end }) => end)).toEqual([undefined, undefined, undefined, undefined]);
    test.enter('192.0.2.6');
    expect(guests.map(({ end }) => end)).toEqual([undefined, '1013', undefined, undefined]);
    expect(fifth.end).toBeUndefined();
  });

  it('bans an address for its strikes, for a while', () => {
    const test = new DoorTest();
    const guest = test.enter('192.0.2.1');
    guest.ended(4400, 'No frame');
    guest.ended(1000, 'Goodbye');
    expect(test.status('192.0.2.1')).toBeUndefined();
    guest.ended(4409, 'Not now');
    const refusal = test.knock('192.0.2.1');
    expect(refusal).toMatchObject({ status: 403, retryAfterMs: 5000 });
    expect(test.status('192.0.2.2')).toBeUndefined();
    expect(test.log).toEqual(['192.0.2.1 banned for 5000: 4409 Not now', '192.0.2.1 refused: 403']);
  });

  it.each([1002, 1007, 1008, 1009, 4400, 4401, 4408, 4409, 4429])('takes %i for a strike', (code) => {
    const test = new DoorTest({ ban: { strikes: 1, withinMs: 1000, durationMs: 5000 } });
    test.enter('192.0.2.1').ended(code, '');
    expect(test.status('192.0.2.1')).toBe(403);
  });

  it.each([1000, 1001, 1006, 1013, 4406, 4410, 4500])('takes %i for none', (code) => {
    const test = new DoorTest({ ban: { strikes: 1, withinMs: 1000, durationMs: 5000 } });
    test.enter('192.0.2.1').ended(code, '');
    expect(test.status('192.0.2.1')).toBeUndefined();
  });

  it('bans nobody if it is not to', () => {
    const test = new DoorTest({ ban: undefined });
    const guest = test.enter('192.0.2.1');
    for (let index = 0; index < 100; index += 1) guest.ended(4400, '');
    expect(test.status('192.0.2.1')).toBeUndefined();
  });

  it.each(['127.0.0.1', '::1', ''])(
    'counts nothing by address for %j, from where everybody may come by a proxy',
    (address) => {
      const test = new DoorTest({ maxPending: 100 });
      const guests = [1, 2, 3, 4].map(() => test.enter(address));
      for (const guest of guests) guest.ended(4400, '');
      expect(test.status(address)).toBeUndefined();
      test.enter(address);
      expect(test.status(address)).toBe(503);
    },
  );

  it('counts by what the user says that the address is, loopback too', () => {
    const test = new DoorTest({ addressOf: ({ headers }) => headers['x-forwarded-for'] ?? '127.0.0.1' });
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const guest = test.knock('127.0.0.1', { headers });
    expect(guest).toMatchObject({ address: '192.0.2.1' });
    if (guest instanceof Guest) for (const code of [4400, 4400]) guest.ended(code, '');
    expect(test.status('127.0.0.1', { headers })).toBe(403);
    expect(test.log.at(-1)).toBe('192.0.2.1 refused: 403');
    expect(test.status('127.0.0.1')).toBeUndefined();
    for (const _ of [1, 2]) test.enter('127.0.0.1');
    expect(test.status('127.0.0.1')).toBe(429);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no header');
      },
    ],
    ['returns no text', () => undefined],
    ['returns an empty text', () => ''],
  ])('refuses whose address cannot be told, as the user’s function %s', (_what, addressOf) => {
    // @ts-expect-error: not always a text
    const test = new DoorTest({ addressOf });
    expect(test.status('192.0.2.1')).toBe(500);
    expect(test.log).toEqual([expect.stringContaining('`addressOf` failed'), '192.0.2.1 refused: 500']);
  });
});
