// The addresses that connections come from, and which of them count as one.

/** What a dual-stack server calls an address of IPv4. */
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const GROUPS = 8;
/** Of a /64, the least that a customer of a provider has to itself: whoever is in it can choose the rest anew each time. */
const NETWORK_GROUPS = 4;

/** What counts as one address: of IPv6 the /64; of anything else, all of it. */
export function networkOf(address: string): string {
  const ipv4 = MAPPED_IPV4.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  if (!/^[\da-f:]+:[\da-f:.]*(%.*)?$/i.test(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after].slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

/** Whether it is of this very machine; as is who has none, and came by a socket of the file system. */
export function isLoopback(address: string): boolean {
  return address === '' || address === '::1' || /^(::ffff:)?127\./i.test(address);
}
