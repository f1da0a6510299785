// The counts of a door.
import { describe, expect, it } from 'vitest';
import { Crowd } from '../../../src/master/crowd.ts';
import { Guest, type GuestBook } from '../../../src/master/guest.ts';

const noBook: GuestBook = { greeted() {}, ended() {}, left() {} };
const limits = { maxConnections: 100_000, maxConnectionsPerAddress: 2, maxPending: 100_000, maxPendingPerAddress: 2 };

const guestOf = (address: string): Guest => new Guest(noBook, { address, headers: {}, url: '/' }, address);

describe('Crowd', () => {
  it('keeps nothing of an address from which nobody is there any more', () => {
    const crowd = new Crowd(limits);
    for (let index = 0; index < 10_000; index += 1) {
      const guest = guestOf(`192.0.2.${index}`);
      crowd.add(guest);
      expect(crowd.addresses).toBe(1);
      // Some leave before they have said hello.
      if (index % 2 === 0) crowd.greeted(guest);
      crowd.remove(guest);
      expect(crowd.addresses).toBe(0);
    }
  });

  it('keeps an address as long as one is there from it', () => {
    const crowd = new Crowd(limits);
    const [first, second] = [guestOf('192.0.2.1'), guestOf('192.0.2.1')];
    for (const guest of [first, second]) crowd.add(guest);
    crowd.remove(first);
    expect([crowd.addresses, crowd.surplus('192.0.2.1')]).toEqual([1, undefined]);
    crowd.add(guestOf('192.0.2.1'));
    expect([crowd.addresses, crowd.surplus('192.0.2.1')]).toEqual([1, 'of this address']);
  });

  it('keeps nothing of who only asks, or has no address that counts', () => {
    const crowd = new Crowd(limits);
    expect(crowd.surplus('192.0.2.1')).toBeUndefined();
    crowd.add(new Guest(noBook, { address: '127.0.0.1', headers: {}, url: '/' }, undefined));
    expect(crowd.addresses).toBe(0);
  });
});
