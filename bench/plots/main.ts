// `npm run plots`: draws bench/results.json into docs/images/performance, and writes its table into docs/performance.md.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '../harness/results.ts';
import { parseResults } from '../harness/results.ts';
import { parts } from '../parts.ts';
import { type Drawn, type Figure, figures } from './figures.ts';
import { replacePlace } from './places.ts';
import { resultsTable } from './results-table.ts';
import { MissingSeriesError } from './series.ts';

/** The compiled files lie in a folder beside the sources'. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RESULTS = join(ROOT, 'bench', 'results.json');
const PAGE = join(ROOT, 'docs', 'performance.md');
/** As the page sees it. */
const IMAGES = 'images/performance';

const results = existsSync(RESULTS) ? parseResults(readFileSync(RESULTS, 'utf8')) : undefined;
if (results === undefined) {
  console.error('bench/results.json is not there, or no results: npm run bench makes it.');
  process.exitCode = 1;
} else {
  write(results);
}

function write(results: Results): void {
  const folder = join(ROOT, 'docs', IMAGES);
  // A picture without figures must not stay behind.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let page = readFileSync(PAGE, 'utf8');
  for (const figure of figures) {
    const drawn = drawnOf(figure, results);
    if (drawn !== undefined) writeFileSync(join(folder, `${figure.name}.svg`), drawn.svg);
    page = replacePlace(
      page,
      figure.name,
      drawn === undefined ? '' : `![${drawn.description}](${IMAGES}/${figure.name}.svg)`,
    );
  }
  writeFileSync(
    PAGE,
    replacePlace(
      page,
      'table',
      resultsTable(
        results,
        parts.map(({ name }) => name),
      ),
    ),
  );
}

/** Undefined where its part has not been measured. */
function drawnOf({ name, draw }: Figure, results: Results): Drawn | undefined {
  try {
    return draw(results);
  } catch (error) {
    if (!(error instanceof MissingSeriesError)) throw error;
    console.error(`${name} is left out: ${error.message}.`);
    return undefined;
  }
}
