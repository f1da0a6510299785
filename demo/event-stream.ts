// Server-sent events: the latest state, to everybody who listens, once a second and soon after a change.

import type { IncomingMessage, ServerResponse } from 'node:http';

const PERIOD_MS = 1000;

/** Changes that come together are told together. */
const SOON_MS = 100;

export class EventStream {
  readonly #readState: () => unknown;
  readonly #listeners = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #isSoon = false;

  constructor(readState: () => unknown) {
    this.#readState = readState;
  }

  /** Answers a request with the state now and from now on; one for the headers alone, with those. */
  open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
    response.write(`retry: 1000\n\n${this.#event()}`);
    this.#timer ??= setTimeout(this.#tell, PERIOD_MS);
  }

  /** Says that the state has changed. */
  changed(): void {
    if (this.#listeners.size > 0 && !this.#isSoon) {
      this.#isSoon = true;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#tell, SOON_MS);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const response of this.#listeners) {
      response.end();
    }
    this.#listeners.clear();
  }

  readonly #tell = () => {
    this.#isSoon = false;
    const event = this.#event();
    for (const response of this.#listeners) {
      // Whoever does not read misses this one; the next says all that matters.
      if (!response.writableNeedDrain) {
        response.write(event);
      }
    }
    this.#timer = this.#listeners.size > 0 ? setTimeout(this.#tell, PERIOD_MS) : undefined;
  };

  #event(): string {
    return `data: ${JSON.stringify(this.#readState())}\n\n`;
  }
}
