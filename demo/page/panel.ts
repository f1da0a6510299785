// The panel: shows the state of this tab and of the cluster, and passes on what the visitor does.

import type { ClusterSnapshot } from '../cluster-snapshot.ts';
import type { ClusterState } from './cluster-feed.ts';
import type { Contribution } from './contribution.ts';
import { element, setText, UNKNOWN } from './elements.ts';
import { Flow } from './flow.ts';
import type { Place } from './view.ts';
import { WorkerList } from './worker-list.ts';

export class Panel {
  readonly #contribution: Contribution;
  readonly #contribute = element('contribute', HTMLButtonElement);
  readonly #connection = element('connection', HTMLElement);
  readonly #cores = element('cores', HTMLInputElement);
  readonly #coresValue = element('cores-value', HTMLElement);
  readonly #pause = element('pause', HTMLButtonElement);
  readonly #ownTiles = element('own-tiles', HTMLElement);
  readonly #ownShare = element('own-share', HTMLElement);
  readonly #toCome = element('to-come', HTMLElement);
  readonly #workerCount = element('worker-count', HTMLElement);
  readonly #workerNews = element('worker-news', HTMLElement);
  readonly #workersEmpty = element('workers-empty', HTMLElement);
  readonly #workers = new WorkerList();
  readonly #flow = new Flow();

  constructor(contribution: Contribution, maxCores: number) {
    this.#contribution = contribution;
    this.#cores.max = String(maxCores);
    this.#contribute.addEventListener('click', () => {
      if (contribution.state.kind === 'off') {
        contribution.start();
      } else {
        contribution.stop();
      }
    });
    this.#cores.addEventListener('input', () => contribution.setCores(this.#cores.valueAsNumber));
    this.#pause.addEventListener('click', () => contribution.setPaused(!contribution.isPaused));
    this.#makeCollapsible();
  }

  addPlaces(places: readonly Place[], go: (place: Place) => void): void {
    const list = element('places', HTMLUListElement);
    for (const place of places) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'chip';
      button.textContent = place.name;
      button.addEventListener('click', () => go(place));
      const item = document.createElement('li');
      item.append(button);
      list.append(item);
    }
  }

  /** `pendingTiles`: how many tiles this page waits for. */
  render(cluster: ClusterState, pendingTiles: number): void {
    const snapshot = cluster.kind === 'live' ? cluster.snapshot : undefined;
    this.#renderContribution();
    this.#renderShare(snapshot);
    setText(this.#toCome, String(pendingTiles));
    this.#renderWorkers(snapshot);
    this.#flow.render(snapshot);
  }

  #renderContribution(): void {
    const { state, cores, isPaused } = this.#contribution;
    const isOn = state.kind !== 'off';
    this.#contribute.setAttribute('aria-checked', String(isOn));
    setText(this.#connection, statusOf(this.#contribution));
    this.#connection.dataset['state'] = isPaused ? 'paused' : state.kind;
    this.#cores.value = String(cores);
    this.#cores.setAttribute('aria-valuetext', `${cores} of ${this.#cores.max}`);
    setText(this.#coresValue, `${cores} of ${this.#cores.max}`);
    this.#pause.disabled = !isOn;
    setText(this.#pause, isPaused ? 'Resume' : 'Pause');
  }

  #renderShare(snapshot: ClusterSnapshot | undefined): void {
    const { tiles } = this.#contribution;
    setText(this.#ownTiles, String(tiles));
    setText(this.#ownShare, snapshot === undefined ? UNKNOWN : shareOf(tiles, snapshot.done));
  }

  #renderWorkers(snapshot: ClusterSnapshot | undefined): void {
    const { state } = this.#contribution;
    const workers = snapshot?.workers ?? [];
    this.#workers.render(workers, state.kind === 'connected' ? state.workerId : undefined);
    this.#workersEmpty.hidden = workers.length > 0;
    if (snapshot === undefined) {
      setText(this.#workerCount, UNKNOWN);
      setText(this.#workerNews, '');
      setText(this.#workersEmpty, 'Not known.');
    } else {
      setText(this.#workerCount, String(workers.length));
      setText(this.#workerNews, `${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`);
      setText(this.#workersEmpty, 'Nobody yet.');
    }
  }

  // Only the phone's layout shows the button, and hides the body while it is collapsed.
  #makeCollapsible(): void {
    const panel = element('panel', HTMLElement);
    const toggle = element('panel-toggle', HTMLButtonElement);
    toggle.addEventListener('click', () => {
      const isExpanded = panel.classList.toggle('is-expanded');
      toggle.setAttribute('aria-expanded', String(isExpanded));
    });
  }
}

function shareOf(own: number, ofAll: number): string {
  // News of the cluster come later than those of one's own work.
  const all = Math.max(own, ofAll);
  return all === 0 ? UNKNOWN : `${Math.round((own / all) * 100)} %`;
}

function statusOf({ state, cores, isPaused }: Contribution): string {
  switch (state.kind) {
    case 'off':
      return state.problem ?? 'Off: you are only looking';
    case 'connecting':
      return 'Connecting…';
    case 'reconnecting':
      return 'Connection lost, trying again…';
    case 'connected':
      return isPaused ? 'Paused' : `On: lending ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  }
}
