// All rows of the results as a Markdown table, those that miss their target among them.
import type { Machine, PartResult, Results, Row, Target } from '../harness/results.ts';
import { duration, exactly, NO_BREAK, number, quantity, ratio } from './for-people.ts';

const HEADINGS = ['part', 'what', 'measured', 'against', 'ratio', 'min–max', 'to reach', ''];
/** Words to the left, figures to the right. */
const ALIGNMENT = '|---|---|--:|---|--:|--:|--:|:-:|';

/** Parts stand in the given order; those that are not in it come last. */
export function resultsTable({ machine, parts }: Results, order: readonly string[]): string {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const all = Object.entries(parts).sort(([a], [b]) => place(a) - place(b));
  const judged = all.flatMap(([, { rows }]) => rows).filter(({ met }) => met !== undefined);
  const met = judged.filter((row) => row.met).length;
  return [
    `${met} of ${judged.length} targets are met. Measured with ${inWords(machine)}.`,
    '',
    line(HEADINGS),
    ALIGNMENT,
    ...all.flatMap(([name, { rows }]) => rows.map((row, index) => line([index === 0 ? name : '', ...cellsOf(row)]))),
    '',
    ...all.map(([name, part]) => `- ${escaped(noteOf(name, part))}`),
  ].join('\n');
}

function cellsOf({ what, value, unit, against, againstValue, ratio: times, spread, target, met }: Row): string[] {
  const hasRatio = times !== undefined;
  return [
    what,
    quantity(value, unit),
    against === undefined ? '' : `${against}${againstValue === undefined ? '' : `: ${quantity(againstValue, unit)}`}`,
    hasRatio ? `${ratio(times)}${NO_BREAK}×` : '',
    spread === undefined ? '' : spread.map(hasRatio ? ratio : unit === 'µs' ? duration : number).join('–'),
    target === undefined ? '' : limitOf(target, hasRatio ? '×' : unit),
    met === undefined ? '' : met ? '✓' : '✗',
  ];
}

function limitOf(target: Target, unit: string): string {
  const [sign, limit] = 'atLeast' in target ? ['≥', target.atLeast] : ['≤', target.atMost];
  return `${sign}${NO_BREAK}${exactly(limit)}${NO_BREAK}${unit}`;
}

function noteOf(name: string, { title, date, rounds, isQuick, rows }: PartResult): string {
  const notes = new Set(rows.flatMap(({ note }) => note ?? []));
  const how = `${date.slice(0, 10)}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}${isQuick ? ', a quick look' : ''}`;
  return [`${name}: ${title} (${how}).`, ...notes].join(' ');
}

function inWords({ node, platform, cpu, cores, memoryBytes }: Machine): string {
  return `Node ${node} on ${platform}, ${cores} × ${cpu}, ${number(memoryBytes / 1e9)} GB`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(escaped).join(' | ')} |`.replace(/ {2,}/g, ' ');
}

function escaped(content: string): string {
  return content.replace(/[|<>*_`\\]/g, '\\$&');
}
