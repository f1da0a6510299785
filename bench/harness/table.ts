// Prints rows as a table that fits a terminal.
import type { PartResult, Row, Target } from './results.ts';

/** Wide enough for all rows of one part; what is measured is cut where it would be too long. */
const WIDTH = 112;
const GAP = '  ';

/** One part: its title, its rows, and the notes to them. */
export function formatPart(name: string, { title, rows, rounds, isQuick }: PartResult): string {
  const heading = `${name}: ${title} (${rounds} ${rounds === 1 ? 'round' : 'rounds'}${isQuick ? ', quick' : ''})`;
  const notes = [...new Set(rows.flatMap(({ note }) => note ?? []))];
  const cells = [['what', 'measured', 'against', 'ratio', '(min–max)', 'target', ''], ...rows.map(cellsOf)];
  return [...wrap(heading, ''), ...align(cells), ...notes.flatMap((note) => wrap(note, '  · '))].join('\n');
}

/** How many of the targets are met. */
export function formatSummary(parts: readonly PartResult[]): string {
  const judged = parts.flatMap(({ rows }) => rows).filter(({ met }) => met !== undefined);
  return `${judged.filter(({ met }) => met).length} of ${judged.length} targets met`;
}

function cellsOf(row: Row): string[] {
  const { what, value, unit, against, againstValue, ratio, spread, target, met } = row;
  const isRatio = ratio !== undefined;
  return [
    what,
    `${formatNumber(value)} ${unit}`,
    against === undefined ? '' : `${against}${againstValue === undefined ? '' : ` ${formatNumber(againstValue)}`}`,
    isRatio ? `${formatRatio(ratio)} ×` : '',
    spread === undefined ? '' : `(${spread.map(isRatio ? formatRatio : formatNumber).join('–')})`,
    target === undefined ? '' : `${formatTarget(target)}${isRatio ? ' ×' : ''}`,
    met === undefined ? '' : met ? '✓' : '✗',
  ];
}

function formatTarget(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** Three digits that mean something, and groups of thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  const decimals = Number.isInteger(value) || magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  const [whole = '', fraction] = value.toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ' ');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function formatRatio(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The first column and the names to the left, numbers to the right. */
function align(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const rest = widths.slice(1).reduce((sum, width) => sum + GAP.length + width, 0);
  widths[0] = Math.max(12, Math.min(widths[0] ?? 0, WIDTH - rest));
  return table.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        if (column === 0) return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width);
        return column === 2 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Breaks between words. */
function wrap(text: string, bullet: string): string[] {
  const lines: string[] = [];
  let line = bullet;
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH && line.trim() !== bullet.trim()) {
      lines.push(line.trimEnd());
      line = ' '.repeat(bullet.length);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
