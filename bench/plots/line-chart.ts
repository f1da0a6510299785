// Lines over an axis: each with a colour and a mark of its own, and limits that are to be kept.
import { FONT_SIZE, KINDS, type LegendEntry, MARGIN, svgOf, WIDTH } from './picture.ts';
import type { Scale } from './scale.ts';
import { element, rounded, text, widthOf } from './svg.ts';

const HEIGHT = 190;
/** Half of the mark's width. */
const MARK = 4;
/** Between two labels of the axis. */
const LABEL_GAP = 8;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Limit {
  readonly y: number;
  /** Absent: another entry of the legend says it, or the axis. */
  readonly name?: string;
  /** Of one line alone, which one: it has that one's colour. */
  readonly of?: number;
}

export interface Axis {
  readonly scale: Scale;
  readonly label: string;
  readonly tick: (value: number) => string;
}

export interface LineChart {
  readonly title: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly limits?: readonly Limit[];
}

/** Where figures lie in the picture. */
interface Field {
  readonly left: number;
  readonly right: number;
  readonly lower: number;
  readonly atX: (value: number) => number;
  readonly atY: (value: number) => number;
}

/** @throws RangeError where there are more lines than can be told apart */
export function lineChart({ title, description, x, y, lines, limits = [] }: LineChart): string {
  if (lines.length > KINDS) throw new RangeError(`Expected at most ${KINDS} lines, got ${lines.length}`);
  return svgOf({
    title,
    description,
    legend: legendOf(lines, limits),
    draw: (top) => {
      const field = fieldBelow(top + FONT_SIZE + 20, x, y);
      const elements = [
        text(y.label, { class: 'pale', x: MARGIN, y: top + FONT_SIZE + 4 }),
        ...yAxis(y, field),
        ...xAxis(x, field),
        ...limits.map((limit) => element('line', { class: limitClass(limit), ...level(field, limit.y) })),
        ...lines.flatMap((line, kind) => drawn(line, kind, field)),
      ];
      return { elements, bottom: field.lower + 46 };
    },
  });
}

function fieldBelow(upper: number, x: Axis, y: Axis): Field {
  const left = MARGIN + Math.max(...y.scale.ticks.map((tick) => widthOf(y.tick(tick), FONT_SIZE))) + 8;
  // The last tick may stand at the very end, and half of its label beyond.
  const right = WIDTH - MARGIN - widthOf(x.tick(x.scale.ticks.at(-1) ?? 0), FONT_SIZE) / 2;
  return {
    left,
    right,
    lower: upper + HEIGHT,
    atX: (value) => left + x.scale.at(value) * (right - left),
    atY: (value) => upper + (1 - y.scale.at(value)) * HEIGHT,
  };
}

function yAxis({ scale, tick }: Axis, field: Field): string[] {
  return scale.ticks.flatMap((value) => [
    element('line', { class: value === 0 ? 'axis' : 'grid', ...level(field, value) }),
    text(tick(value), { class: 'pale end', x: field.left - 8, y: field.atY(value) + 5 }),
  ]);
}

function xAxis({ scale, label, tick }: Axis, { left, right, lower, atX }: Field): string[] {
  const labelled = labelledTicks(
    scale.ticks.map((value) => ({ at: atX(value), width: widthOf(tick(value), FONT_SIZE) })),
  );
  return [
    ...scale.ticks.flatMap((value, index) => [
      element('line', { class: 'axis', x1: atX(value), x2: atX(value), y1: lower, y2: lower + 4 }),
      ...(labelled.has(index) ? [text(tick(value), { class: 'pale middle', x: atX(value), y: lower + 20 })] : []),
    ]),
    text(label, { class: 'pale middle', x: (left + right) / 2, y: lower + 42 }),
  ];
}

/** Which labels have room side by side: all, or every second, or every third, counted from the last. */
export function labelledTicks(labels: readonly { readonly at: number; readonly width: number }[]): Set<number> {
  for (let stride = 1; ; stride++) {
    const kept = labels
      .map((label, index) => ({ ...label, index }))
      .filter(({ index }) => (labels.length - 1 - index) % stride === 0);
    const isLegible = kept.every(({ at, width }, i) => {
      const next = kept[i + 1];
      return next === undefined || next.at - at >= (width + next.width) / 2 + LABEL_GAP;
    });
    if (isLegible) return new Set(kept.map(({ index }) => index));
  }
}

function drawn({ points }: Line, kind: number, { atX, atY }: Field): string[] {
  const places = points.map(({ x, y }): [number, number] => [atX(x), atY(y)]);
  return [
    element('polyline', { class: `line${kind}`, points: places.map((at) => at.map(rounded).join(',')).join(' ') }),
    ...places.map(([x, y]) => mark(kind, x, y)),
  ];
}

function level({ left, right, atY }: Field, value: number) {
  return { x1: left, x2: right, y1: atY(value), y2: atY(value) };
}

function legendOf(lines: readonly Line[], limits: readonly Limit[]): LegendEntry[] {
  const named = limits.flatMap((limit) => (limit.name === undefined ? [] : [{ limit, name: limit.name }]));
  return [
    // The title says what a line shows that is alone.
    ...(lines.length === 1 ? [] : lines).map(({ name }, kind) => ({
      name,
      symbol: (x: number, y: number) =>
        [element('line', { class: `line${kind}`, 'stroke-width': 2, ...across(x, y) }), mark(kind, x, y)].join('\n'),
    })),
    ...named.map(({ limit, name }) => ({
      name,
      symbol: (x: number, y: number) => element('line', { class: limitClass(limit), ...across(x, y) }),
    })),
  ];
}

function across(x: number, y: number) {
  return { x1: x - 12, x2: x + 12, y1: y, y2: y };
}

function limitClass({ of }: Limit): string {
  return of === undefined ? 'limit' : `limit${of}`;
}

/** Round, square, standing on a corner, or with three of them: for those who do not tell the colours apart. */
function mark(kind: number, x: number, y: number): string {
  const fill = { class: `fill${kind}` };
  if (kind === 0) return element('circle', { ...fill, cx: x, cy: y, r: MARK });
  const square = { ...fill, x: x - MARK, y: y - MARK, width: 2 * MARK, height: 2 * MARK };
  if (kind === 1) return element('rect', square);
  if (kind === 3) return element('polygon', { ...fill, points: triangleAt(x, y).map(rounded).join(' ') });
  return element('rect', { ...square, transform: `rotate(45 ${rounded(x)} ${rounded(y)})` });
}

function triangleAt(x: number, y: number): number[] {
  return [x, y - MARK, x + MARK, y + MARK, x - MARK, y + MARK];
}
