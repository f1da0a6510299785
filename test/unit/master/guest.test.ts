// A connection that a door let in, and what the door hears of it.
import { describe, expect, it } from 'vitest';
import { Guest } from '../../../src/master/guest.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf, type WorkerPeer } from '../../support/peers.ts';

class GuestTest {
  readonly master = new VirtualMaster();
  readonly heard: string[] = [];
  readonly guest = new Guest(
    {
      greeted: () => this.heard.push('greeted'),
      ended: (_guest, code) => this.heard.push(`ended ${code}`),
      left: () => this.heard.push('left'),
    },
    { address: '192.0.2.1', headers: {}, url: '/' },
    '192.0.2.1',
  );

  async connect(): Promise<WorkerPeer> {
    const { master, guest } = this;
    master.network.listen(master.clock, (adopt) => master.sessions.accept(adopt, guest));
    return master.connect();
  }
}

describe('Guest', () => {
  it('has said hello, misbehaved, and left, each once', async () => {
    const test = new GuestTest();
    const { heard, guest, master } = test;
    const peer = await test.connect();
    expect(heard).toEqual([]);
    peer.send(helloOf());
    await master.clock.settle();
    expect(heard).toEqual(['greeted']);
    expect(guest).toMatchObject({ request: undefined, connection: undefined });
    peer.send(helloOf());
    await master.clock.settle();
    expect(heard).toEqual(['greeted', 'ended 4409', 'left']);
  });

  it('has misbehaved before its hello', async () => {
    const test = new GuestTest();
    const peer = await test.connect();
    peer.sendRaw('no frame');
    await test.master.clock.settle();
    expect(test.heard).toEqual(['ended 4400', 'left']);
    expect(test.master.events).toMatchObject([{ type: 'connectionRefused', code: 4400, address: '192.0.2.1' }]);
  });

  it.each([false, true])(
    'is free to hang up with any code, whether or not it has said hello: %s',
    async (hasGreeted) => {
      const test = new GuestTest();
      const peer = await test.connect();
      if (hasGreeted) peer.send(helloOf());
      peer.close(4400, 'A bad frame');
      await test.master.clock.settle();
      expect(test.heard).toEqual(hasGreeted ? ['greeted', 'left'] : ['left']);
    },
  );

  it('leaves at once where its place is needed, whether or not it answers', async () => {
    const test = new GuestTest();
    await test.connect();
    test.master.network.lastLink.drop();
    test.guest.connection?.dismiss(1013, 'Too many');
    await test.master.clock.settle();
    expect(test.heard).toEqual(['ended 1013', 'left']);
    expect(test.master.clock.pendingTimers).toBe(0);
  });
});
