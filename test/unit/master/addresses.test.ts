import { describe, expect, it } from 'vitest';
import { isLoopback, networkOf } from '../../../src/master/addresses.ts';

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
    ['a customer', 'a customer'],
    ['tenant:7', 'tenant:7'],
  ])('takes %s for %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', ''])('is true of %j', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['192.0.2.1', '1.127.0.1', '::2', '::ffff:192.0.2.1', '2001:db8::1'])('is false of %j', (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});
