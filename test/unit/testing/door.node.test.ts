// A simulated master lets in whom a real one would.
import { describe, expect, it } from 'vitest';
import type { ConnectionRequest } from '../../../src/master/authentication.ts';
import type { MasterOptions } from '../../../src/master/options.ts';
import { type PlaceOptions, Simulation } from '../../../src/testing/index.ts';

/** Long enough to be let in, or refused, once. */
const ONE_TRY_MS = 50;

/** A master, the places of those it has let in, and what it tells of the others. */
class DoorTest {
  readonly simulation = new Simulation({ latency: 5 });
  readonly told: string[] = [];
  readonly master;

  constructor(options: MasterOptions = {}) {
    const scheduler = this.simulation.scheduler<number, number>();
    this.master = this.simulation.master(scheduler, options);
    this.master.on('connectionRefused', ({ address, code }) => this.told.push(`${address} refused: ${code}`));
    this.master.on('addressBanned', ({ address }) => this.told.push(`${address} banned`));
  }

  add(place: PlaceOptions = {}, token?: string) {
    // They do not try again while a test looks.
    const options = { token, reconnect: { base: 60_000, cap: 60_000 } };
    return this.simulation.worker<number, number>((task) => task, options, place);
  }

  /** One after the other, so that it is known who comes first. */
  async try(...places: PlaceOptions[]) {
    const workers = [];
    for (const place of places) {
      workers.push(this.add(place));
      await this.simulation.run(ONE_TRY_MS);
    }
    return workers;
  }

  get inside(): string[] {
    return this.master.workers().map(({ name }) => name);
  }
}

describe('a simulated master', () => {
  it('lets in no more connections than it is to, and another one for each that is over', async () => {
    const test = new DoorTest({ maxConnections: 2 });
    const [first, second] = await test.try({}, {}, {}, {});
    expect(test.inside).toEqual(['worker 1', 'worker 2']);
    expect(test.told).toEqual(['10.0.0.3 refused: 503', '10.0.0.4 refused: 503']);
    first?.crash();
    await test.simulation.until(second?.stop() ?? Promise.reject(new Error('Nobody')));
    await test.try({}, {}, {});
    expect(test.master.workers().map(({ name }) => name)).toEqual(expect.arrayContaining(['worker 5', 'worker 6']));
    expect(test.told.slice(2)).toEqual(['10.0.0.7 refused: 503']);
  });

  it('has nobody inside when it is started again', async () => {
    const test = new DoorTest({ maxConnections: 1 });
    await test.try({});
    await test.simulation.until(test.master.stop());
    await test.simulation.until(test.master.start());
    await test.try({});
    expect(test.told).toEqual([]);
    expect(test.inside).toEqual(['worker 2']);
  });

  it('refuses as a handshake that fails, after a round trip', async () => {
    const test = new DoorTest({ maxConnections: 1 });
    await test.try({});
    const startedAt = test.simulation.clock.now();
    const refused = test.add({ latency: 20 });
    const ends: unknown[] = [];
    refused.on('connected', () => ends.push('connected'));
    refused.on('disconnected', ({ code }) => ends.push([code, test.simulation.clock.now() - startedAt]));
    await test.simulation.run(ONE_TRY_MS);
    expect(ends).toEqual([[1006, 40]]);
    expect(refused.state).toBe('waiting');
    await test.simulation.stop();
    expect(test.simulation.clock.pendingTimers).toBe(0);
  });

  it('counts workers of one address together, and those of its own machine not at all', async () => {
    const test = new DoorTest({ maxConnectionsPerAddress: 1 });
    await test.try({ address: '192.0.2.1' }, { address: '192.0.2.1' }, { address: '192.0.2.2' });
    expect(test.inside).toEqual(['worker 1', 'worker 3']);
    expect(test.told).toEqual(['192.0.2.1 refused: 429']);
    await test.try({ address: '127.0.0.1' }, { address: '127.0.0.1' });
    expect(test.inside).toEqual(['worker 1', 'worker 3', 'worker 4', 'worker 5']);
  });

  it('gives each worker an address of its own, unless it is told one', async () => {
    const test = new DoorTest({ maxConnectionsPerAddress: 1 });
    const workers = Array.from({ length: 300 }, () => test.add());
    await test.simulation.run(ONE_TRY_MS);
    expect(test.inside.length).toBe(300);
    expect([0, 254, 255, 256].map((index) => workers[index]?.address)).toEqual([
      '10.0.0.1',
      '10.0.0.255',
      '10.0.1.0',
      '10.0.1.1',
    ]);
    expect(test.add({ address: '192.0.2.1' }).address).toBe('192.0.2.1');
  });

  it('waits for no more hellos than it is to', async () => {
    const byAddress = new DoorTest({ maxPendingPerAddress: 1 });
    const inAll = new DoorTest({ maxPending: 1 });
    for (const test of [byAddress, inAll]) {
      const mute = test.add({ address: '192.0.2.1' });
      // Connected, and its hello is on its way.
      await test.simulation.run(12);
      mute.halfOpen('up');
      await test.try({ address: '192.0.2.1' });
    }
    expect([byAddress.inside, byAddress.told]).toEqual([[], ['192.0.2.1 refused: 429']]);
    expect([inAll.inside, inAll.told]).toEqual([['worker 2'], ['192.0.2.1 refused: 1013']]);
  });

  it('bans an address whose workers misbehave, and no other, for a while', async () => {
    const test = new DoorTest({ authenticate: (token) => token === 'right', ban: { strikes: 2, duration: 60_000 } });
    const come = async (address: string, token: string) => {
      test.add({ address }, token);
      await test.simulation.run(ONE_TRY_MS);
    };
    await come('192.0.2.1', 'wrong');
    await come('192.0.2.1', 'wrong');
    expect(test.told.sort()).toEqual(['192.0.2.1 banned', '192.0.2.1 refused: 4401', '192.0.2.1 refused: 4401']);
    await come('192.0.2.1', 'right');
    expect(test.told.slice(3)).toEqual(['192.0.2.1 refused: 403']);
    await come('192.0.2.2', 'right');
    expect(test.inside).toEqual(['worker 4']);
    await test.simulation.run(60_000);
    await come('192.0.2.1', 'right');
    expect(test.inside).toContain('worker 5');
  });

  it('lets in programs, and pages of its own host or of the origins that it lists', async () => {
    const places = ['http://localhost:9000', 'https://example.org'].map((origin) => ({ origin }));
    const own = new DoorTest();
    await own.try({}, ...places);
    expect([own.inside, own.told]).toEqual([['worker 1', 'worker 2'], ['10.0.0.3 refused: 403']]);
    const listed = new DoorTest({ origins: ['https://example.org'] });
    await listed.try({}, ...places);
    expect([listed.inside, listed.told]).toEqual([['worker 1', 'worker 3'], ['10.0.0.2 refused: 403']]);
  });

  it('asks `addressOf` and `authenticate` about the request', async () => {
    const asked: ConnectionRequest[] = [];
    const test = new DoorTest({
      path: '/tasks',
      origins: '*',
      addressOf: (request) => {
        asked.push(request);
        return request.headers['x-forwarded-for'] ?? '';
      },
      authenticate: (_token, request) => {
        asked.push(request);
        return true;
      },
    });
    const url = 'ws://master.example:9000/tasks?team=blue';
    test.simulation.worker<number, number>(
      (task) => task,
      { url, name: 'Ada' },
      { address: '192.0.2.9', origin: 'https://example.org', headers: { 'x-forwarded-for': '192.0.2.1' } },
    );
    await test.simulation.run(ONE_TRY_MS);
    const request = {
      address: '192.0.2.9',
      origin: 'https://example.org',
      headers: { 'x-forwarded-for': '192.0.2.1', host: 'master.example:9000', origin: 'https://example.org' },
      url: '/tasks?team=blue',
    };
    expect(asked).toEqual([request, { ...request, address: '192.0.2.1', name: 'Ada' }]);
    test.simulation.worker<number, number>((task) => task, { url });
    await test.simulation.run(ONE_TRY_MS);
    expect(asked[2]).toEqual({
      address: '10.0.0.2',
      headers: { host: 'master.example:9000' },
      url: '/tasks?team=blue',
    });
    expect(test.told).toEqual(['10.0.0.2 refused: 500']);
  });
});

describe('the place of a simulated worker', () => {
  it.each<[string, unknown, string]>([
    ['address', '', '`address` to be a string of 1 to 256 characters, got ""'],
    ['address', 7, '`address` to be a string of 1 to 256 characters, got 7'],
    ['origin', '', '`origin` to be a string of 1 to 256 characters, got ""'],
    ['headers', 'x-forwarded-for', '`headers` to be an object, got "x-forwarded-for"'],
    ['headers', { 'X-Forwarded-For': 'x' }, '`headers` to be named in small letters, but host and origin, got "X-F'],
    ['headers', { origin: 'x' }, '`headers` to be named in small letters, but host and origin, got "origin"'],
    ['headers', { host: 'x' }, '`headers` to be named in small letters, but host and origin, got "host"'],
    ['headers', { cookie: 7 }, '`headers.cookie` to be a text, got 7'],
    ['latency', -1, '`latency` to be a number of milliseconds ≥ 0, got -1'],
    ['jitter', Number.NaN, '`jitter` to be a number of milliseconds ≥ 0, got NaN'],
  ])('has no wrong %s: %j', (name, value, message) => {
    const simulation = new Simulation();
    expect(() => simulation.worker(() => null, {}, { [name]: value })).toThrow(`Expected ${message}`);
  });

  it('is an object without other names', () => {
    const simulation = new Simulation();
    // @ts-expect-error: no such option
    expect(() => simulation.worker(() => null, {}, { adress: 'x' })).toThrow('Unknown option `adress` for worker');
    // @ts-expect-error: no place
    expect(() => simulation.worker(() => null, {}, null)).toThrow('Expected `place` to be an object, got null');
  });
});
