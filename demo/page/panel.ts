// The panel: shows the state of this tab and of the cluster, and passes on what the visitor does.

import type { ClusterSnapshot } from '../cluster-snapshot.ts';
import type { ClusterState } from './cluster-feed.ts';
import type { Contribution } from './contribution.ts';
import { element, setText } from './elements.ts';
import type { Place } from './view.ts';
import { WorkerList } from './worker-list.ts';

export class Panel {
  readonly #contribution: Contribution;
  readonly #contribute = element('contribute', HTMLButtonElement);
  readonly #connection = element('connection', HTMLElement);
  readonly #cores = element('cores', HTMLInputElement);
  readonly #coresValue = element('cores-value', HTMLOutputElement);
  readonly #pause = element('pause', HTMLButtonElement);
  readonly #ownTiles = element('own-tiles', HTMLElement);
  readonly #ownShare = element('own-share', HTMLElement);
  readonly #queued = element('queued', HTMLElement);
  readonly #workerCount = element('worker-count', HTMLElement);
  readonly #workersEmpty = element('workers-empty', HTMLElement);
  readonly #workers = new WorkerList();

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

  render(cluster: ClusterState): void {
    const snapshot = cluster.kind === 'live' ? cluster.snapshot : undefined;
    this.#renderContribution();
    this.#renderShare(snapshot);
    this.#renderCluster(snapshot);
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
    // News of the cluster come later than those of one's own work.
    const all = Math.max(snapshot?.done ?? 0, tiles);
    setText(this.#ownShare, all === 0 ? '–' : `${Math.round((tiles / all) * 100)} %`);
  }

  #renderCluster(snapshot: ClusterSnapshot | undefined): void {
    const { state } = this.#contribution;
    const workers = snapshot?.workers ?? [];
    this.#workers.render(workers, state.kind === 'connected' ? state.workerId : undefined);
    setText(this.#workerCount, String(workers.length));
    this.#workersEmpty.hidden = workers.length > 0;
    setText(this.#workersEmpty, snapshot === undefined ? 'Not known yet.' : 'Nobody yet.');
    setText(this.#queued, snapshot === undefined ? '–' : String(snapshot.queued));
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
