// What is said over the map: that nobody is computing, or that the server is gone.

import type { ClusterState } from './cluster-feed.ts';
import type { Contribution } from './contribution.ts';
import { element, setText } from './elements.ts';

export class Notices {
  readonly #contribution: Contribution;
  readonly #gone = element('gone', HTMLElement);
  readonly #nobody = element('nobody', HTMLElement);
  readonly #title = element('nobody-title', HTMLElement);
  readonly #text = element('nobody-text', HTMLElement);
  readonly #action = element('nobody-contribute', HTMLButtonElement);

  constructor(contribution: Contribution) {
    this.#contribution = contribution;
    this.#action.addEventListener('click', () => {
      if (contribution.isPaused) {
        contribution.setPaused(false);
      } else {
        contribution.start();
      }
      // The button is about to be hidden; the switch is where its effect shows.
      element('contribute', HTMLButtonElement).focus();
    });
  }

  render(cluster: ClusterState): void {
    this.#gone.hidden = cluster.kind !== 'gone';
    setText(this.#gone, cluster.kind === 'gone' ? 'The server does not answer. Trying again…' : '');
    this.#renderNobody(cluster);
  }

  #renderNobody(cluster: ClusterState): void {
    const { state, isPaused } = this.#contribution;
    const workers = cluster.kind === 'live' ? cluster.snapshot.workers : undefined;
    const isStarting = state.kind !== 'off' && !isPaused;
    this.#nobody.hidden = workers === undefined || isStarting || workers.some(({ concurrency }) => concurrency > 0);
    if (this.#nobody.hidden) {
      return;
    }
    setText(this.#title, workers?.length === 0 ? 'Nobody is computing' : 'Everybody has paused');
    setText(
      this.#text,
      isPaused
        ? 'The map waits for someone to draw it. Resume, and this tab does.'
        : 'The map waits for someone to draw it. Switch on Contribute, and this tab does.',
    );
    setText(this.#action, isPaused ? 'Resume' : 'Contribute');
  }
}
