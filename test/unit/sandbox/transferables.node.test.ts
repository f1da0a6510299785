import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { transferOf } from '../../../src/sandbox/transferables.ts';

describe('transferOf in Node', () => {
  it('never sends the pool that small Buffers live in', () => {
    const buffer = Buffer.from('text');
    expect(buffer.buffer.byteLength).toBeGreaterThan(4);
    const { value, buffers } = transferOf({ buffer });
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual([4]);
    expect(structuredClone(value, { transfer: buffers })).toEqual({ buffer: new TextEncoder().encode('text') });
    expect(buffer.toString()).toBe('text');
  });

  it('leaves shared memory where it is', () => {
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const transfer = transferOf([shared]);
    expect(transfer.buffers).toEqual([]);
    expect((transfer.value as unknown[])[0]).toBe(shared);
  });
});
