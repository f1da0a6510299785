// Bars, one below the other, and marks that the first of them is to reach.
import { FONT_SIZE, MARGIN, svgOf, WIDTH } from './picture.ts';
import type { Scale } from './scale.ts';
import { element, text, widthOf } from './svg.ts';

const ROW_HEIGHT = 34;
const BAR_HEIGHT = 20;
const GAP = 10;

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The smallest and the largest that was measured. */
  readonly spread: readonly [number, number];
  /** What the first bar is to reach against this one, and how that is called. */
  readonly goal?: { readonly value: number; readonly name: string };
}

export interface BarChart {
  readonly title: string;
  readonly description: string;
  readonly scale: Scale;
  readonly unit: string;
  readonly format: (value: number) => string;
  readonly bars: readonly Bar[];
  /** What the marks mean. */
  readonly goals: string;
}

export function barChart({ title, description, scale, unit, format, bars, goals }: BarChart): string {
  const names = Math.max(...bars.map(({ name }) => widthOf(name, FONT_SIZE)));
  const values = Math.max(
    ...[unit, ...bars.map(({ value }) => format(value))].map((label) => widthOf(label, FONT_SIZE)),
  );
  const field: Field = { left: MARGIN + names + GAP, right: WIDTH - MARGIN - values - GAP, scale };
  const hasGoals = bars.some(({ goal }) => goal !== undefined);
  return svgOf({
    title,
    description,
    legend: hasGoals ? [{ name: goals, symbol: goalMark }] : [],
    draw: (top) => {
      const upper = top + FONT_SIZE + GAP;
      const bottom = upper + bars.length * ROW_HEIGHT;
      const elements = [
        text(unit, { class: 'pale end', x: WIDTH - MARGIN, y: top + FONT_SIZE + 4 }),
        ...bars.flatMap((bar, row) => {
          const y = upper + (row + 0.5) * ROW_HEIGHT;
          return [...barOf(bar, row, y, field), text(format(bar.value), { class: 'end', x: WIDTH - MARGIN, y: y + 5 })];
        }),
        element('line', { class: 'axis', x1: field.left, x2: field.left, y1: upper, y2: bottom }),
      ];
      return { elements, bottom };
    },
  });
}

/** Where the bars lie in the picture. */
interface Field {
  readonly left: number;
  readonly right: number;
  readonly scale: Scale;
}

function barOf({ name, value, spread, goal }: Bar, row: number, y: number, { left, right, scale }: Field): string[] {
  const at = (figure: number) => left + scale.at(figure) * (right - left);
  const [least, most] = spread.map(at);
  const bar = { x: left, y: y - BAR_HEIGHT / 2, width: at(value) - left, height: BAR_HEIGHT };
  return [
    text(name, { class: 'end', x: left - GAP, y: y + 5 }),
    // The first is what the picture is about.
    element('rect', { class: row === 0 ? 'fill0' : 'others', ...bar }),
    element('line', { class: 'whisker', x1: least ?? left, x2: most ?? left, y1: y, y2: y }),
    ...[least, most].map((end = left) => element('line', { class: 'whisker', x1: end, x2: end, y1: y - 4, y2: y + 4 })),
    ...(goal === undefined ? [] : [goalMark(at(goal.value), y), goalName(goal.name, at(goal.value), y, right)]),
  ];
}

function goalMark(x: number, y: number): string {
  return element('line', { class: 'line1', 'stroke-width': 3, x1: x, x2: x, y1: y - 10, y2: y + 10 });
}

/** To the right of the mark, away from the bar, where there is room. */
function goalName(name: string, x: number, y: number, right: number): string {
  const fits = x + 6 + widthOf(name, FONT_SIZE) <= right;
  return text(name, fits ? { class: 'pale', x: x + 6, y: y + 5 } : { class: 'pale end', x: x - 6, y: y + 5 });
}
