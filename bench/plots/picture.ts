// What all pictures have in common: size, colours, title, legend, and a description for those who do not see them.
import { element, rounded, text, widthOf } from './svg.ts';

/** Narrow enough for the texts to be read on a phone, where the picture is made smaller. */
export const WIDTH = 460;
export const MARGIN = 16;
export const FONT_SIZE = 14;
const TITLE_SIZE = 16;
const LINE_HEIGHT = 20;
const LEGEND_GAP = 18;
const SYMBOL_WIDTH = 24;

/** How many lines can be told apart, by their colours and their marks. */
export const KINDS = 4;

interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly pale: string;
  readonly grid: string;
  /** Of bars beside the one that the picture is about; whiskers must stand out from it. */
  readonly others: string;
  readonly kinds: readonly string[];
}

/** Each paper is its own: the picture stays readable where the page is of the other kind. */
const LIGHT: Colours = {
  paper: '#ffffff',
  ink: '#1f2328',
  pale: '#59636e',
  grid: '#d8dee4',
  others: '#b4bcc5',
  kinds: ['#0969da', '#bc4c00', '#8250df', '#1a7f37'],
};
const DARK: Colours = {
  paper: '#0d1117',
  ink: '#f0f6fc',
  pale: '#9198a1',
  grid: '#30363d',
  others: '#656c76',
  kinds: ['#4493f8', '#e0823d', '#b78af9', '#3fb950'],
};

export interface LegendEntry {
  readonly name: string;
  /** Drawn around the given point. */
  readonly symbol: (x: number, y: number) => string;
}

export interface Picture {
  readonly title: string;
  /** What the picture shows, in words. */
  readonly description: string;
  readonly legend: readonly LegendEntry[];
  /** Below title and legend, from the given height on. */
  readonly draw: (top: number) => { readonly elements: readonly string[]; readonly bottom: number };
}

export function svgOf({ title, description, legend, draw }: Picture): string {
  const head = legendOf(legend, MARGIN + TITLE_SIZE + 10);
  const { elements, bottom } = draw(head.bottom);
  const height = rounded(bottom + MARGIN);
  const size = { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` };
  const svg = element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', 'aria-labelledby': 'title description' },
    text(title, { id: 'title' }, 'title'),
    text(description, { id: 'description' }, 'desc'),
    `<style>\n${rulesOf(LIGHT)}\n@media (prefers-color-scheme: dark) {\n${rulesOf(DARK)}\n}\n${FONT}\n</style>`,
    element('rect', { class: 'paper', width: WIDTH, height, rx: 6 }),
    text(title, { class: 'title', x: MARGIN, y: MARGIN + TITLE_SIZE - 3 }),
    ...head.elements,
    ...elements,
  );
  return `${svg}\n`;
}

/** The colours are classes, as not everything that shows SVG knows variables. */
function rulesOf({ paper, ink, pale, grid, others, kinds }: Colours): string {
  return [
    `.paper { fill: ${paper}; }`,
    `text { fill: ${ink}; }`,
    `.pale { fill: ${pale}; }`,
    `.others { fill: ${others}; }`,
    `.grid { stroke: ${grid}; }`,
    `.axis, .whisker, .limit { stroke: ${ink}; }`,
    ...kinds.flatMap((colour, kind) => [
      `.fill${kind} { fill: ${colour}; }`,
      `.line${kind}, .limit${kind} { stroke: ${colour}; }`,
    ]),
  ].join('\n');
}

const FONT = `text { font: ${FONT_SIZE}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.title { font-size: ${TITLE_SIZE}px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.whisker { stroke-width: 1.5; }
.limit, .limit0, .limit1, .limit2, .limit3 { stroke-width: 1.5; stroke-dasharray: 5 4; }`;

/** One after the other, on as many lines as they need. */
function legendOf(legend: readonly LegendEntry[], top: number): { elements: string[]; bottom: number } {
  const elements: string[] = [];
  let [x, y] = [MARGIN, top + LINE_HEIGHT / 2];
  for (const { name, symbol } of legend) {
    const width = SYMBOL_WIDTH + 6 + widthOf(name, FONT_SIZE);
    if (x > MARGIN && x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + LINE_HEIGHT];
    elements.push(symbol(x + SYMBOL_WIDTH / 2, y), text(name, { x: x + SYMBOL_WIDTH + 6, y: y + 5 }));
    x += width + LEGEND_GAP;
  }
  return { elements, bottom: legend.length === 0 ? top : y + LINE_HEIGHT / 2 };
}
