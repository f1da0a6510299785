// The map: Leaflet over the complex plane, with its place kept in the address.

import { CRS, Map as LeafletMap } from 'leaflet';
import { MAX_ZOOM } from '../tile.ts';
import { FractalLayer, WORLD } from './tile-layer.ts';
import type { TileSource } from './tile-source.ts';
import { formatView, HOME, parseView, toLatLng, toView, type View } from './view.ts';

/** Below this width the whole set is shown one zoom level smaller. */
const HOME_WIDTH = 700;

export interface FractalMap {
  show(view: View): void;
}

/** `panel` lies over the map: what is shown is centred in the part it leaves free. */
export function createMap(container: HTMLElement, panel: HTMLElement, source: TileSource): FractalMap {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const map = new LeafletMap(container, {
    crs: CRS.Simple,
    minZoom: 1,
    maxZoom: MAX_ZOOM,
    maxBounds: WORLD.pad(0.25),
    fadeAnimation: false,
    zoomAnimation: !calm,
    inertia: !calm,
  });
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  const linked = parseView(location.hash);
  if (linked === undefined) {
    show(container.clientWidth < HOME_WIDTH ? { ...HOME, zoom: HOME.zoom - 1 } : HOME);
  } else {
    centre(linked);
  }
  map.addLayer(new FractalLayer(source));
  map.on('moveend', () => {
    const { lat, lng } = map.getCenter();
    history.replaceState(null, '', formatView(toView(map.getZoom(), lat, lng)));
  });
  window.addEventListener('hashchange', () => {
    const view = parseView(location.hash);
    if (view !== undefined) {
      centre(view);
    }
  });

  function centre(view: View): void {
    map.setView(toLatLng(view), view.zoom, { animate: false });
  }

  function show(view: View): void {
    const { width, height } = panel.getBoundingClientRect();
    const isSheet = width > container.clientWidth / 2;
    const middle = map.project(toLatLng(view), view.zoom).add(isSheet ? [0, height / 2] : [width / 2, 0]);
    map.setView(map.unproject(middle, view.zoom), view.zoom, { animate: false });
  }
  return { show };
}
