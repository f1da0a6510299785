// The package in a browser: all but the master.
export * from './isomorphic.ts';
