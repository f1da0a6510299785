// The list of who is computing. Entries stay the same elements while their worker stays, so that nothing flickers.

import type { WorkerSnapshot } from '../cluster-snapshot.ts';
import { formatDuration } from './duration.ts';
import { element, part, setText, UNKNOWN } from './elements.ts';

export class WorkerList {
  readonly #list = element('workers', HTMLUListElement);
  readonly #template = element('worker-template', HTMLTemplateElement);
  readonly #entries = new Map<string, HTMLElement>();

  render(workers: readonly WorkerSnapshot[], ownId: string | undefined): void {
    const ids = new Set(workers.map(({ id }) => id));
    for (const [id, entry] of this.#entries) {
      if (!ids.has(id)) {
        entry.remove();
        this.#entries.delete(id);
      }
    }
    for (const worker of workers) {
      const entry = this.#entries.get(worker.id) ?? this.#add(worker);
      update(entry, worker, worker.id === ownId);
    }
  }

  #add({ id, colour, platform }: WorkerSnapshot): HTMLElement {
    const entry = part(this.#template.content, 'worker', HTMLLIElement).cloneNode(true) as HTMLLIElement;
    entry.dataset['worker'] = id;
    entry.dataset['platform'] = platform;
    entry.style.setProperty('--worker-colour', colour);
    entry.querySelector('use')?.setAttribute('href', platform === 'browser' ? '#icon-browser' : '#icon-node');
    this.#list.append(entry);
    this.#entries.set(id, entry);
    return entry;
  }
}

function update(entry: HTMLElement, worker: WorkerSnapshot, isOwn: boolean): void {
  entry.classList.toggle('is-own', isOwn);
  entry.classList.toggle('is-busy', worker.running > 0);
  entry.classList.toggle('is-away', worker.isInterrupted);
  setText(part(entry, 'worker-name', HTMLElement), worker.name);
  setText(part(entry, 'worker-state', HTMLElement), `${placeOf(worker, isOwn)}, ${stateOf(worker)}`);
  setText(part(entry, 'worker-done', HTMLElement), `${worker.done} ${worker.done === 1 ? 'tile' : 'tiles'}`);
  setText(part(entry, 'worker-rate', HTMLElement), `${worker.rate.toFixed(1)} per s`);
  setText(part(entry, 'worker-stock', HTMLElement), `${worker.waiting} prefetched, ${worker.recalled} recalled`);
  setText(part(entry, 'worker-way', HTMLElement), `${wayTo(worker)} away`);
}

function placeOf({ platform }: WorkerSnapshot, isOwn: boolean): string {
  return isOwn ? 'This tab' : ({ browser: 'Browser', node: 'Node' }[platform] ?? platform);
}

function wayTo({ roundTrip }: WorkerSnapshot): string {
  return roundTrip === null ? UNKNOWN : formatDuration(roundTrip);
}

function stateOf({ isInterrupted, concurrency, running }: WorkerSnapshot): string {
  if (isInterrupted) return 'connection lost';
  return concurrency === 0 ? 'paused' : `${running} of ${concurrency} busy`;
}
