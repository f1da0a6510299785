// Which part of the plane the map shows, as text for the address: "#12/-0.7436/0.1318", and as Leaflet's coordinates.

import { MAX_ZOOM } from '../tile.ts';

/** A point of the complex plane and the zoom level around it. */
export interface View {
  readonly zoom: number;
  readonly real: number;
  readonly imaginary: number;
}

export const HOME: View = { zoom: 2, real: -0.7, imaginary: 0 };

export interface Place {
  readonly name: string;
  readonly view: View;
}

export const PLACES: readonly Place[] = [
  { name: 'The whole set', view: HOME },
  { name: 'Seahorse valley', view: { zoom: 9, real: -0.7463, imaginary: 0.1102 } },
  { name: 'Elephant valley', view: { zoom: 9, real: 0.2925, imaginary: 0.0149 } },
  { name: 'Spiral', view: { zoom: 13, real: -0.74518, imaginary: 0.1126 } },
  { name: 'Its own image', view: { zoom: 20, real: -0.743643887, imaginary: 0.131825904 } },
];

// Leaflet's flat coordinates are the pixels of zoom 0: one tile, whose side is 4 in the plane, from -2.75 + 2i.
const PIXELS_PER_UNIT = 64;

export function toLatLng({ real, imaginary }: View): [lat: number, lng: number] {
  return [(imaginary - 2) * PIXELS_PER_UNIT, (real + 2.75) * PIXELS_PER_UNIT];
}

export function toView(zoom: number, lat: number, lng: number): View {
  return { zoom, real: lng / PIXELS_PER_UNIT - 2.75, imaginary: lat / PIXELS_PER_UNIT + 2 };
}

export function formatView({ zoom, real, imaginary }: View): string {
  // Enough digits to tell neighbouring pixels apart, and no more.
  const digits = Math.ceil((zoom + 7) * 0.30103) + 1;
  return `#${zoom}/${Number(real.toFixed(digits))}/${Number(imaginary.toFixed(digits))}`;
}

/** Undefined when the text is no view. */
export function parseView(hash: string): View | undefined {
  const [zoom, real, imaginary, ...rest] = hash.slice(1).split('/').map(Number);
  if (zoom === undefined || real === undefined || imaginary === undefined || rest.length > 0) {
    return undefined;
  }
  const isView = Number.isInteger(zoom) && zoom >= 0 && zoom <= MAX_ZOOM && isNear(real) && isNear(imaginary);
  return isView ? { zoom, real, imaginary } : undefined;
}

function isNear(coordinate: number): boolean {
  return Math.abs(coordinate) <= 4;
}
