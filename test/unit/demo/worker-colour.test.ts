import { describe, expect, it } from 'vitest';
import { workerColour } from '../../../demo/worker-colour.ts';

function hue(id: string): number {
  const found = /^oklch\(0\.7 0\.17 (\d+\.\d)\)$/.exec(workerColour(id));
  return Number(found?.[1]);
}

function distance(a: number, b: number): number {
  const turn = Math.abs(a - b) % 360;
  return Math.min(turn, 360 - turn);
}

describe('workerColour', () => {
  it('depends on nothing but the id', () => {
    expect(workerColour('w7')).toBe(workerColour('w7'));
    expect(workerColour('w7')).not.toBe(workerColour('w8'));
  });

  it('keeps eight workers in a row apart', () => {
    const hues = Array.from({ length: 8 }, (_, index) => hue(`w${index + 1}`));
    for (const [index, one] of hues.entries()) {
      for (const other of hues.slice(index + 1)) {
        expect(distance(one, other)).toBeGreaterThan(20);
      }
    }
  });

  it('is a colour for ids of any form', () => {
    for (const id of ['', 'x', '4f9c1a2e-7b1d-4c3e', '名前', '99999999999999999999']) {
      expect(hue(id)).toBeGreaterThanOrEqual(0);
      expect(hue(id)).toBeLessThanOrEqual(360);
    }
  });
});
