// The page: puts its parts together.

import { browserName } from './browser-name.ts';
import { ClusterFeed } from './cluster-feed.ts';
import { Contribution } from './contribution.ts';
import { element } from './elements.ts';
import { createMap } from './map.ts';
import { Notices } from './notices.ts';
import { Panel } from './panel.ts';
import { TileSource } from './tile-source.ts';
import { PLACES } from './view.ts';

const maxCores = Math.max(1, navigator.hardwareConcurrency);
const url = `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/taskdist`;

const feed = new ClusterFeed('/cluster');
const contribution = new Contribution({ url, name: browserName(navigator), maxCores }, () => render());
const panel = new Panel(contribution, maxCores);
const notices = new Notices(contribution);
const tiles = new TileSource(feed, () => render());
const map = createMap(element('map', HTMLElement), element('panel', HTMLElement), tiles);
panel.addPlaces(PLACES, ({ view }) => map.show(view));

let serverStartedAt: number | undefined;
feed.onChange((state) => {
  if (state.kind === 'live' && state.snapshot.startedAt !== serverStartedAt) {
    // A server that has started anew counts anew.
    serverStartedAt = state.snapshot.startedAt;
    contribution.forgetEarlierTiles();
  }
  render();
});
feed.start();

function render(): void {
  panel.render(feed.state, tiles.pending);
  notices.render(feed.state);
}
