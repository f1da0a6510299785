// The build of msgpackr without `new Function` has the same interface as the default one, but ships no types.
declare module 'msgpackr/index-no-eval' {
  export { Packr, Unpackr } from 'msgpackr';
}
