// What is drawn of which results.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Drawn, figures } from '../../../../bench/plots/figures.ts';
import { MissingSeriesError } from '../../../../bench/plots/series.ts';
import { resultsOf, row, seriesOf } from './results.ts';

const rate = (...rates: number[]) => rates.map((rate, index) => ({ round: index + 1, rate }));

const throughput = {
  rows: [{ ...row, against: 'raw ws', target: { atLeast: 4 } }],
  ...seriesOf({ taskdist: rate(400, 300, 500), ws: rate(100), piscina: rate(80), 'piscina, defaults': rate(20) }),
};

const results = resultsOf({
  throughput,
  granularity: seriesOf({
    efficiency: [0, 1].flatMap((kind) => [1, 1000].map((taskUs) => ({ round: 1, kind, taskUs, efficiency: 0.5 }))),
  }),
  growth: seriesOf({
    backlog: [
      { round: 1, backlog: 1000, rate: 100 },
      { round: 2, backlog: 1000, rate: 10 },
      { round: 1, backlog: 10, rate: 200 },
      { round: 2, backlog: 10, rate: 40 },
    ],
    types: [{ round: 1, types: 1, rate: 100 }],
    idleWorkers: [{ round: 1, idleWorkers: 1, rate: 100 }],
    kinds: [{ round: 1, kinds: 1, rate: 100 }],
  }),
  endurance: seriesOf({
    stages: [1, 2].map((stage) => ({
      tasksDone: stage * 1e6,
      rate: 1000,
      newRate: 1100,
      masterHeapBytes: 9e6,
      workerHeapBytes: 7e6,
    })),
  }),
});

function draw(name: string, from = results): Drawn {
  const figure = figures.find((candidate) => candidate.name === name);
  if (figure === undefined) throw new RangeError(`There is no figure ${name}`);
  return figure.draw(from);
}

describe.each(figures.map(({ name }) => name))('the picture of %s', (name) => {
  it('has its place in the page', async () => {
    const page = await readFile(new URL('../../../../docs/performance.md', import.meta.url), 'utf8');
    expect(page).toContain(`<!-- begin: ${name} -->`);
    expect(page).toContain(`<!-- end: ${name} -->`);
  });

  it('is the same for the same results, and says in words what it shows', () => {
    const { svg, description } = draw(name);
    expect(draw(name).svg).toBe(svg);
    expect(svg).toContain(`>${description}</desc>`);
  });

  it('has nothing in it that is no number', () => {
    expect(draw(name).svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('is left out where its series is missing', () => {
    expect(() => draw(name, resultsOf({}))).toThrow(MissingSeriesError);
  });
});

describe('the pictures', () => {
  it('show the median of the rounds', () => {
    expect(draw('throughput').description).toContain('taskdist 400, raw ws 100, tuned Piscina 80');
  });

  it('show the other contenders where one is missing', () => {
    const { description } = draw('throughput');
    expect(description).not.toContain('BullMQ');
  });

  it('show a goal where the table has a target', () => {
    expect(draw('throughput').svg).toContain('>4 ×</text>');
    expect(draw('throughput', resultsOf({ throughput: { ...throughput, rows: [] } })).svg).not.toContain('×');
  });

  it('compare a round with the same round', () => {
    expect(draw('growth').description.replaceAll('\u00a0', ' ')).toContain(
      'tasks that wait: 1.00 at 10, 0.38 at 1 000',
    );
  });

  it('are left out where a figure is missing', () => {
    const older = resultsOf({ granularity: seriesOf({ efficiency: [{ round: 1, taskUs: 1, efficiency: 1 }] }) });
    expect(() => draw('granularity', older)).toThrow('the series efficiency of granularity has no kind');
  });
});
