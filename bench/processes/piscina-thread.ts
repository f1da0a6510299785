// What Piscina's thread runs.
export { fibonacci as default } from './fibonacci.ts';
