// What a sandbox's factory returns; apart, so that users' compilers need not have the DOM's types.

/** What starts a thread: the browser's `Worker`, or that of `node:worker_threads`. */
export interface ThreadLike {
  postMessage(message: unknown, transfer: never[]): void;
  terminate(): unknown;
}
