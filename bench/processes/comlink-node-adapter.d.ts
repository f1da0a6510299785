// Types of Comlink's adapter for Node, which has them under another name than the compiler looks for.
declare module 'comlink/dist/esm/node-adapter.mjs' {
  export { default } from 'comlink/dist/esm/node-adapter';
}
