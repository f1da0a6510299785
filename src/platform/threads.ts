// Threads: Web Workers and Node's worker threads, from both of their sides, as one kind of thing.
import type { Endpoint } from 'comlink';
import { messageOf } from '../errors.ts';
import type { ThreadLike } from '../thread-like.ts';

/** A thread that was started. */
export interface Thread {
  /** Where Comlink talks to it; arrays may be left out, as Comlink posts none. */
  readonly endpoint: Endpoint;
  /** Calls back with each array that the thread posts. */
  onArray(listener: (message: readonly unknown[]) => void): void;
  /** Calls back, perhaps more than once, when the thread has ended or is broken, with what is known of why. */
  onFailure(listener: (reason: string) => void): void;
  /** Ends it, whatever it is doing. */
  terminate(): Promise<void>;
}

/** What the browser's `Worker`, and the global scope inside it, have: what Comlink asks of a port. */
interface WebPort {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void;
}

/** What `node:worker_threads` has instead of an EventTarget. */
interface NodePort {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  on(type: string, listener: (value: unknown) => void): unknown;
}

function isWebPort(value: object): value is WebPort {
  return 'postMessage' in value && 'addEventListener' in value && 'removeEventListener' in value;
}

function isNodePort(value: object): value is NodePort {
  return 'postMessage' in value && 'on' in value;
}

/** Takes a thread that a factory made; undefined if it is neither kind. */
export function adoptThread(worker: ThreadLike): Thread | undefined {
  const terminate = async (): Promise<void> => {
    await worker.terminate();
  };
  if (isWebPort(worker)) {
    return {
      endpoint: worker,
      onArray(listener) {
        worker.addEventListener('message', (event) => {
          if ('data' in event && Array.isArray(event.data)) listener(event.data);
        });
      },
      onFailure(listener) {
        worker.addEventListener('error', (event) => {
          // A script that cannot be loaded gives an event without a message.
          listener('message' in event ? String(event.message) : 'its script could not be loaded');
        });
        worker.addEventListener('messageerror', () => listener('a message could not be read'));
      },
      terminate,
    };
  }
  if (isNodePort(worker)) {
    return {
      endpoint: nodeEndpoint(worker),
      onArray(listener) {
        worker.on('message', (data) => {
          if (Array.isArray(data)) listener(data);
        });
      },
      onFailure(listener) {
        let reason: string | undefined;
        worker.on('error', (error) => {
          reason = messageOf(error);
          const ended = (): void => listener(messageOf(error));
          // Not now: what it had posted before it failed comes in until it has ended.
          terminate().then(ended, ended);
        });
        worker.on('messageerror', () => listener('a message could not be read'));
        worker.on('exit', (code) => listener(reason ?? `it exited with code ${String(code)}`));
      },
      terminate,
    };
  }
  return undefined;
}

/** Where a thread talks to the one that started it; undefined if this is not a thread. */
export function parentEndpoint(): Endpoint | undefined {
  // Not an import, which a bundle for the browser could not resolve.
  const node = typeof process === 'object' ? process.getBuiltinModule?.('worker_threads') : undefined;
  if (node?.parentPort) return nodeEndpoint(node.parentPort);
  const scope: object = globalThis;
  return 'importScripts' in scope && isWebPort(scope) ? scope : undefined;
}

/** Calls back when this thread is about to close itself, if it is a Web Worker: whoever started it is not told. Node tells. */
export function onSelfClose(listener: () => void): void {
  const scope: object = globalThis;
  if (!('importScripts' in scope && 'close' in scope)) return;
  const { close } = scope;
  if (typeof close !== 'function') return;
  scope.close = () => {
    listener();
    close.call(scope);
  };
}

/**
 * Comlink's idea of a port over Node's. It listens with functions alone, and for as long as the thread lives: it stops when
 * its proxy is released, which is never.
 */
function nodeEndpoint(port: NodePort): Endpoint {
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    addEventListener(type, listener) {
      port.on(type, (data) => {
        // To make an event costs more than all the rest that becomes of a result.
        if (typeof listener === 'function' && !Array.isArray(data)) listener(new MessageEvent(type, { data }));
      });
    },
    removeEventListener() {},
  };
}
