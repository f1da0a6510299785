import { describe, expect, it } from 'vitest';
import { transferOf } from '../../../src/sandbox/transferables.ts';

/** What arrives on the other side. */
function post(value: unknown): unknown {
  const { value: ready, buffers } = transferOf(value);
  return structuredClone(ready, { transfer: buffers });
}

const views: readonly (new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView)[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

describe('transferOf', () => {
  it.each<[string, unknown]>([
    ['a number', 1],
    ['text', 'x'],
    ['undefined', undefined],
    ['null', null],
    ['an object without buffers', { a: [1, { b: new Date(0) }], m: new Map([[1, 2]]) }],
  ])('leaves what has no buffers as it is: %s', (_, value) => {
    const transfer = transferOf(value);
    expect(transfer.value).toBe(value);
    expect(transfer.buffers).toEqual([]);
  });

  it('moves buffers, wherever they are in objects and arrays', () => {
    const [a, b, c] = [new ArrayBuffer(1), Uint8Array.of(1, 2), Float64Array.of(0.5)];
    const value = { a, list: [b, { deep: [[c]] }] };
    const transfer = transferOf(value);
    expect(transfer.value).toBe(value);
    expect(transfer.buffers).toEqual([a, b.buffer, c.buffer]);
    expect(structuredClone(transfer.value, { transfer: transfer.buffers })).toEqual({
      a: new ArrayBuffer(1),
      list: [Uint8Array.of(1, 2), { deep: [[Float64Array.of(0.5)]] }],
    });
    // They are gone here, which shows that they were not copied.
    expect([a.byteLength, b.length, c.length]).toEqual([0, 0, 0]);
  });

  it('moves each buffer once, however many views there are on it', () => {
    const buffer = new ArrayBuffer(8);
    const views = [new Uint8Array(buffer), new Float64Array(buffer), buffer];
    expect(transferOf(views).buffers).toEqual([buffer]);
    expect(() => post(views)).not.toThrow();
  });

  it.each(views)('copies a view of a part, as the whole would travel with it: %o', (View) => {
    const buffer = new ArrayBuffer(64);
    new Uint8Array(buffer).fill(3);
    const part = new View(buffer, 8, 1);
    const before = structuredClone(part);
    const value = { part, other: 1 };
    const transfer = transferOf(value);
    const arrived = structuredClone(transfer.value, { transfer: transfer.buffers }) as { part: ArrayBufferView };
    expect(arrived.part.constructor).toBe(View);
    expect(arrived.part.buffer.byteLength).toBe(part.byteLength);
    expect(new Uint8Array(arrived.part.buffer)).toEqual(
      new Uint8Array(before.buffer.slice(8, 8 + part.byteLength) as ArrayBuffer),
    );
    // The rest of the buffer stays here, and the value as it was.
    expect([buffer.byteLength, value.part]).toEqual([64, part]);
  });

  it('makes of a subclass what structured cloning makes of it', () => {
    class Bytes extends Uint8Array {}
    const whole = post({ bytes: Bytes.of(1, 2) }) as { bytes: Uint8Array };
    const part = post([Bytes.of(1, 2, 3).subarray(1)]) as [Uint8Array];
    expect([whole.bytes.constructor, ...whole.bytes]).toEqual([Uint8Array, 1, 2]);
    expect([part[0].constructor, ...part[0]]).toEqual([Uint8Array, 2, 3]);
  });

  it('keeps cycles', () => {
    const value: Record<string, unknown> = { bytes: Uint8Array.of(1) };
    value['self'] = value;
    const arrived = post(value) as Record<string, unknown>;
    expect(arrived['self']).toBe(arrived);
    expect(arrived['bytes']).toEqual(Uint8Array.of(1));
  });

  it('copies a part once, where its owner stands twice', () => {
    const owner = { part: Uint8Array.of(1, 2, 3).subarray(1) };
    const [first, second] = post([owner, owner]) as [typeof owner, typeof owner];
    expect(second).toBe(first);
    expect(first.part.buffer.byteLength).toBe(2);
  });

  it('does not look into instances, maps and sets, which are cloned as a whole', () => {
    class Holder {
      readonly bytes = Uint8Array.of(1);
    }
    for (const value of [new Holder(), new Map([['a', Uint8Array.of(1)]]), new Set([Uint8Array.of(1)])]) {
      const transfer = transferOf({ value });
      expect(transfer.buffers).toEqual([]);
      expect((transfer.value as { value: unknown }).value).toBe(value);
    }
  });

  it('keeps the holes of arrays, and objects without a prototype', () => {
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested.
    const holes = [1, , Uint8Array.of(9, 1).subarray(1)];
    const arrived = post(holes) as unknown[];
    expect([arrived.length, 1 in arrived, arrived[2]]).toEqual([3, false, Uint8Array.of(1)]);
    const bare = Object.assign(Object.create(null) as object, { bytes: Uint8Array.of(1) });
    expect(transferOf(bare).buffers).toHaveLength(1);
  });

  it('never makes a prototype of a key', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    value['part'] = Uint8Array.of(1, 2).subarray(1);
    const { value: ready } = transferOf(value);
    expect(Object.getPrototypeOf(ready)).toBe(Object.prototype);
    expect(ready).not.toHaveProperty('polluted');
  });
});
