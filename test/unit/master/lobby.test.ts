// Connections that have not asked for anything yet: how they are counted, and what a door makes of them.
import { describe, expect, it } from 'vitest';
import { Door, type DoorRules, Refusal } from '../../../src/master/door.ts';
import { Lobby, type WaitingSocket } from '../../../src/master/lobby.ts';
import { silentLogger } from '../../../src/ports.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

class FakeSocket implements WaitingSocket {
  readonly listeners = new Set<() => void>();
  isDestroyed = false;

  once(_event: 'close', listener: () => void): void {
    this.listeners.add(listener);
  }

  off(_event: 'close', listener: () => void): void {
    this.listeners.delete(listener);
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  /** As the network does it. */
  close(): void {
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

class LobbyTest {
  readonly lobby = new Lobby({ maxWaiting: 3, maxWaitingPerAddress: 2 });

  /** One that waits, and who had to go for it. */
  enter(network?: string): { socket: FakeSocket; gone: WaitingSocket | undefined } {
    const socket = new FakeSocket();
    const gone = this.lobby.enter({ socket, address: network ?? '', network });
    return { socket, gone: gone?.socket };
  }
}

describe('Lobby', () => {
  it('makes the one that has waited longest go, where there are too many', () => {
    const test = new LobbyTest();
    const [first, second] = [test.enter(), test.enter(), test.enter()];
    expect(first?.gone).toBeUndefined();
    expect(test.enter().gone).toBe(first?.socket);
    expect(test.enter().gone).toBe(second?.socket);
    expect(test.lobby.size).toBe(3);
  });

  it('makes nobody go who has asked, or is gone, and nobody for them', () => {
    const test = new LobbyTest();
    const [first, second, third] = [test.enter().socket, test.enter().socket, test.enter().socket];
    test.lobby.leave(first);
    second.close();
    expect(test.lobby.size).toBe(1);
    expect([test.enter().gone, test.enter().gone]).toEqual([undefined, undefined]);
    expect(test.enter().gone).toBe(third);
  });

  it('counts by network, until they have asked, are gone, or had to go', () => {
    const test = new LobbyTest();
    const [first, second] = [test.enter('a').socket, test.enter('a').socket];
    expect([test.lobby.isFull('a'), test.lobby.isFull('b')]).toEqual([true, false]);
    test.lobby.leave(first);
    expect(test.lobby.isFull('a')).toBe(false);
    test.enter('a');
    second.close();
    expect(test.lobby.isFull('a')).toBe(false);
    test.enter('a');
    expect(test.lobby.isFull('a')).toBe(true);
    test.enter('b');
    test.enter('c');
    expect(test.lobby.isFull('a')).toBe(false);
  });

  it('counts nothing by network where there is none', () => {
    const test = new LobbyTest();
    for (let count = 0; count < 3; count += 1) test.enter();
    expect(test.lobby.isFull(undefined)).toBe(false);
  });

  it('hears of whoever has left no more, and counts it once', () => {
    const test = new LobbyTest();
    const [first, second] = [test.enter('a').socket, test.enter('a').socket];
    test.lobby.leave(first);
    test.lobby.leave(first);
    first.close();
    const third = test.enter('a').socket;
    expect(test.lobby.isFull('a')).toBe(true);
    second.close();
    third.close();
    expect([first, second, third].map(({ listeners }) => listeners.size)).toEqual([0, 0, 0]);
    expect(test.lobby.size).toBe(0);
    for (let count = 0; count < 2; count += 1) {
      expect(test.lobby.isFull('a')).toBe(false);
      test.enter('a');
    }
    expect(test.lobby.isFull('a')).toBe(true);
  });

  it('leaves no listener at a socket that had to go', () => {
    const test = new LobbyTest();
    const sockets = Array.from({ length: 4 }, () => test.enter().socket);
    expect(sockets.map(({ listeners }) => listeners.size)).toEqual([0, 1, 1, 1]);
  });
});

const usual: DoorRules = {
  origins: undefined,
  addressOf: undefined,
  maxConnections: 100,
  maxConnectionsPerAddress: 100,
  maxPending: 3,
  maxPendingPerAddress: 2,
  ban: { strikes: 1, withinMs: 1000, durationMs: 5000 },
};

class ArrivalTest {
  readonly clock = new VirtualClock(0);
  readonly log: string[] = [];
  readonly door: Door;

  constructor(rules: Partial<DoorRules> = {}) {
    this.door = new Door({ ...usual, ...rules }, this.clock, silentLogger, {
      refused: (address, { status }) => this.log.push(`${address} refused: ${status}`),
      banned: () => {},
    });
  }

  arrive(address: string): FakeSocket {
    const socket = new FakeSocket();
    this.door.arrive(socket, address);
    return socket;
  }

  /** Which of so many that come one after the other are cut off. */
  cutOff(addresses: string[]): number[] {
    const sockets = addresses.map((address) => this.arrive(address));
    return [...sockets.keys()].filter((index) => sockets[index]?.isDestroyed);
  }

  ban(address: string): void {
    const guest = this.door.knock({ address, headers: {}, url: '/' }, undefined);
    if (!(guest instanceof Refusal)) guest.ended(4400, 'No frame');
  }
}

const loopback = (count: number): string[] => Array<string>(count).fill('127.0.0.1');

describe('Door, for connections that have not asked for anything', () => {
  it('cuts the longest off for a new one, if they are too many in all, and tells so', () => {
    const test = new ArrivalTest();
    expect(test.cutOff(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'])).toEqual([0]);
    expect(test.log).toEqual(['192.0.2.1 refused: 503']);
  });

  it('cuts a new one off, if they are too many of its address, of IPv6 of its /64, and tells so', () => {
    expect(new ArrivalTest().cutOff(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'])).toEqual([2]);
    const test = new ArrivalTest();
    expect(test.cutOff(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'])).toEqual([2]);
    expect(test.log).toEqual(['2001:db8::3 refused: 429']);
  });

  it('counts none that has asked', () => {
    const test = new ArrivalTest();
    for (let count = 0; count < 5; count += 1) test.door.asked(test.arrive('192.0.2.1'));
    expect(test.log).toEqual([]);
  });

  it('counts nothing by address for this machine, from where everybody may come by a proxy', () => {
    expect(new ArrivalTest().cutOff(loopback(4))).toEqual([0]);
  });

  it('counts nothing by address if the user says what addresses are, as there is nothing yet to say it by', () => {
    const test = new ArrivalTest({ addressOf: ({ address }) => address });
    test.ban('192.0.2.1');
    expect(test.cutOff(['192.0.2.1', '192.0.2.1', '192.0.2.1'])).toEqual([]);
    expect(test.cutOff(['192.0.2.1'])).toEqual([]);
    expect(test.log).toEqual(['192.0.2.1 refused: 503']);
  });

  it('cuts off who is banned, as long as it is', async () => {
    const test = new ArrivalTest();
    test.ban('192.0.2.1');
    expect(test.cutOff(['192.0.2.1', '192.0.2.2'])).toEqual([0]);
    expect(test.log).toEqual(['192.0.2.1 refused: 403']);
    await test.clock.advance(5000);
    expect(test.cutOff(['192.0.2.1'])).toEqual([]);
  });

  it.each([
    ['than may be pending', { maxPending: 20, maxConnections: 1000 }, 20],
    ['than there may be connections', { maxPending: 1000, maxConnections: 120 }, 120],
    ['than a hundred, where there may be few connections', { maxPending: 1000, maxConnections: 10 }, 100],
    ['than may be pending, where there may be fewer connections', { maxPending: 20, maxConnections: 10 }, 20],
  ])('has no more of them %s', (_what, rules, count) => {
    const test = new ArrivalTest(rules);
    expect(test.cutOff(loopback(count))).toEqual([]);
    test.arrive('127.0.0.1');
    expect(test.log).toHaveLength(1);
  });

  it.each([
    ['may be pending', { maxPendingPerAddress: 2, maxConnectionsPerAddress: 5 }],
    ['there may be connections', { maxPendingPerAddress: 5, maxConnectionsPerAddress: 2 }],
  ])('has no more of one address than %s', (_what, rules) => {
    expect(new ArrivalTest({ ...rules, maxPending: 100 }).cutOff(Array<string>(3).fill('192.0.2.1'))).toEqual([2]);
  });

  it('has as many as there are, without limits', () => {
    const unlimited = Number.POSITIVE_INFINITY;
    const test = new ArrivalTest({
      maxConnections: unlimited,
      maxConnectionsPerAddress: unlimited,
      maxPending: unlimited,
      maxPendingPerAddress: unlimited,
    });
    expect(test.cutOff(Array<string>(1000).fill('192.0.2.1'))).toEqual([]);
  });
});
