// What an idle worker costs its master: counted, not weighed.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

const WORKERS = 20;

/** Lets a class of the realm count its instances, until the test is over. */
function countMade(name: 'Map' | 'Set' | 'AbortController'): () => number {
  const Original = globalThis[name];
  let made = 0;
  vi.stubGlobal(
    name,
    new Proxy(Original, {
      construct(target, parameters, newTarget) {
        made += 1;
        return Reflect.construct(target, parameters, newTarget);
      },
    }),
  );
  return () => made;
}

describe('A worker that has nothing to do', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each(['Map', 'Set', 'AbortController'] as const)('has no %s of its own at the master', async (name) => {
    const master = new VirtualMaster();
    const peers: WorkerPeer[] = [];
    for (let index = 0; index < WORKERS; index += 1) peers.push(await master.connect());
    const made = countMade(name);
    for (const peer of peers) peer.send(helloOf());
    await master.clock.settle();
    for (const peer of peers) expect(peer.news()[0]).toMatchObject([MessageType.welcome, {}]);
    expect(master.sessions.list()).toHaveLength(WORKERS);
    // What is made once for all of them does not count.
    expect(made()).toBeLessThan(WORKERS / 2);
  });
});
