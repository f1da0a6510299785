// The colours of the map: a closed ring of stops, blended in linear light, with + − × ÷ and sqrt only.

type Rgb = readonly [red: number, green: number, blue: number];

/** Far from the set, and behind the map. */
const OUTSIDE: Rgb = [9, 12, 34];

/** The set itself. */
export const INSIDE: Rgb = [4, 4, 10];

const STOPS: readonly Rgb[] = [
  OUTSIDE,
  [24, 42, 120],
  [36, 108, 190],
  [108, 200, 214],
  [246, 240, 214],
  [250, 190, 92],
  [226, 96, 66],
  [138, 32, 92],
  [48, 16, 74],
];

const STEPS_PER_STOP = 256;

/** How many colours the ring has. */
export const PALETTE_SIZE = STOPS.length * STEPS_PER_STOP;

/** The ring as red, green, blue bytes, one colour after another. */
export const PALETTE = ring();

function ring(): Uint8ClampedArray {
  const bytes = new Uint8ClampedArray(PALETTE_SIZE * 3);
  STOPS.forEach((from, index) => {
    const to = STOPS[(index + 1) % STOPS.length] ?? from;
    for (let step = 0; step < STEPS_PER_STOP; step++) {
      const t = step / STEPS_PER_STOP;
      const eased = t * t * (3 - 2 * t);
      const offset = (index * STEPS_PER_STOP + step) * 3;
      for (const channel of [0, 1, 2] as const) {
        bytes[offset + channel] = blend(from[channel], to[channel], eased);
      }
    }
  });
  return bytes;
}

// A display's brightness grows with about the square of the byte, so the squares are what light adds up.
function blend(from: number, to: number, t: number): number {
  return Math.sqrt(from * from * (1 - t) + to * to * t);
}
