// How the work flows: how many tiles are where, how many there are per second, and how long they wait and take.

import type { ClusterSnapshot, Percentiles } from '../cluster-snapshot.ts';
import { formatDuration } from './duration.ts';
import { element, setText, UNKNOWN } from './elements.ts';

export class Flow {
  readonly #queued = element('queued', HTMLElement);
  readonly #prefetched = element('prefetched', HTMLElement);
  readonly #running = element('running', HTMLElement);
  readonly #done = element('done', HTMLElement);
  readonly #rate = element('rate', HTMLElement);
  readonly #recalled = element('recalled', HTMLElement);
  readonly #waitTime = element('wait-time', HTMLTableRowElement);
  readonly #runTime = element('run-time', HTMLTableRowElement);

  render(snapshot: ClusterSnapshot | undefined): void {
    for (const [figure, value] of [
      [this.#queued, snapshot?.queued],
      [this.#prefetched, snapshot?.prefetched],
      [this.#running, snapshot?.running],
      [this.#done, snapshot?.done],
      [this.#rate, snapshot?.rate.toFixed(1)],
      [this.#recalled, snapshot?.recalled],
    ] as const) {
      setText(figure, String(value ?? UNKNOWN));
    }
    renderTimes(this.#waitTime, snapshot?.waitTime ?? null);
    renderTimes(this.#runTime, snapshot?.runTime ?? null);
  }
}

function renderTimes({ cells }: HTMLTableRowElement, times: Percentiles): void {
  for (const [index, ms] of [times?.p50, times?.p90, times?.p99].entries()) {
    // The first cell is the row's name.
    const cell = cells.item(index + 1);
    if (cell !== null) {
      setText(cell, ms === undefined ? UNKNOWN : formatDuration(ms));
    }
  }
}
