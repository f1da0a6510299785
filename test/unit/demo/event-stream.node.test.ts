import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStream } from '../../../demo/event-stream.ts';

describe('EventStream', () => {
  let server: Server;
  let stream: EventStream;
  let state: number;

  beforeEach(async () => {
    state = 1;
    stream = new EventStream(() => ({ state }));
    server = createServer((request, response) => stream.open(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    stream.close();
    server.close();
    server.closeAllConnections();
  });

  async function* listen(): AsyncGenerator<unknown> {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        if (event.startsWith('data: ')) {
          yield JSON.parse(event.slice(6));
        }
      }
    }
  }

  it('tells the state at once, and again when it has changed', async () => {
    const events = listen();
    expect((await events.next()).value).toEqual({ state: 1 });
    state = 2;
    stream.changed();
    expect((await events.next()).value).toEqual({ state: 2 });
    await events.return(undefined);
  });

  it('tells the state again after a while even if nobody says that it changed', async () => {
    const events = listen();
    await events.next();
    state = 3;
    expect((await events.next()).value).toEqual({ state: 3 });
    await events.return(undefined);
  });

  it('answers HEAD with the headers, and ends', async () => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: 'HEAD' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await response.text()).toBe('');
  });

  it('ends for everybody when it is closed', async () => {
    const events = listen();
    await events.next();
    stream.close();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });
});
