import { describe, expect, it } from 'vitest';
import type { TaskHandler } from '../../../src/handler.ts';
import { checkWorkerOptions, type WorkerOptions } from '../../../src/worker/options.ts';

const check = (options: unknown, handler: Partial<TaskHandler<unknown, unknown>> = {}) =>
  checkWorkerOptions(options as WorkerOptions<unknown>, 'default name', { ...handler, doTask: () => undefined });

const urlOf = (options: WorkerOptions<unknown>): string => check(options).url;

describe('the options of a worker', () => {
  it('all have defaults', () => {
    expect(check({})).toEqual({
      url: 'ws://localhost:9000/',
      name: 'default name',
      concurrency: 1,
      prefetch: 'auto',
      acceptedTypes: undefined,
      acceptsTask: undefined,
      labels: undefined,
      connectTimeout: 5000,
      reconnect: {},
      grace: 2000,
      codec: 'msgpack',
      logger: expect.objectContaining({ info: expect.any(Function) }),
    });
  });

  it('take the concurrency of the handler, unless they have their own', () => {
    expect(check({}, { getConcurrency: () => 3 }).concurrency).toBe(3);
    expect(check({ concurrency: 2 }, { getConcurrency: () => 3 }).concurrency).toBe(2);
    expect(() => check({}, { getConcurrency: () => 0 })).toThrow(
      'Expected `handler.getConcurrency()` to be an integer from 1 to 65536, got 0',
    );
  });

  it('take a list or a predicate of what is accepted', () => {
    expect(check({ accepts: ['a', 'b'] })).toMatchObject({ acceptedTypes: ['a', 'b'], acceptsTask: undefined });
    const accepts = (): boolean => true;
    expect(check({ accepts })).toMatchObject({ acceptedTypes: undefined, acceptsTask: accepts });
  });

  it('take a list before that of the handler, and a predicate beside it', () => {
    const handler = { accepts: ['a', 'b'] };
    expect(check({}, handler)).toMatchObject({ acceptedTypes: ['a', 'b'], acceptsTask: undefined });
    expect(check({ accepts: ['a'] }, handler)).toMatchObject({ acceptedTypes: ['a'], acceptsTask: undefined });
    const accepts = (): boolean => true;
    expect(check({ accepts }, handler)).toMatchObject({ acceptedTypes: ['a', 'b'], acceptsTask: accepts });
  });

  it('may be given as undefined', () => {
    const names = [
      'url',
      'masterHost',
      'masterPort',
      'protocol',
      'name',
      'concurrency',
      'prefetch',
      'accepts',
      'connectTimeout',
      'reconnect',
      'grace',
      'codec',
      'logger',
    ];
    expect(check(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(check({}));
  });
});

describe('the address of the master', () => {
  it.each<[WorkerOptions<unknown>, string]>([
    [{ masterHost: 'example.org' }, 'ws://example.org:9000/'],
    [{ masterHost: 'example.org', masterPort: 1234, protocol: 'wss' }, 'wss://example.org:1234/'],
    [{ masterPort: 80 }, 'ws://localhost/'],
    [{ masterHost: '127.0.0.1' }, 'ws://127.0.0.1:9000/'],
    [{ masterHost: '::1' }, 'ws://[::1]:9000/'],
    [{ masterHost: '[::1]' }, 'ws://[::1]:9000/'],
    [{ url: 'ws://example.org' }, 'ws://example.org/'],
    [{ url: 'wss://example.org:1234/path?query=1' }, 'wss://example.org:1234/path?query=1'],
    [{ url: new URL('wss://example.org/x') }, 'wss://example.org/x'],
    [{ url: 'http://example.org:8080/x' }, 'ws://example.org:8080/x'],
    [{ url: 'https://example.org/x' }, 'wss://example.org/x'],
  ])('is made of %j', (options, url) => {
    expect(urlOf(options)).toBe(url);
  });
});

describe('a wrong option of a worker', () => {
  const infinity = Number.POSITIVE_INFINITY;

  it.each<[unknown, string]>([
    [null, 'Expected `options` to be an object, got null'],
    ['ws://x', 'Expected `options` to be an object, got "ws://x"'],
    [{ host: 'x' }, 'Unknown option `host` for Worker; the options are '],
    [{ name: '' }, 'Expected `name` to be a string of 1 to 256 characters, got ""'],
    [{ name: 5 }, 'Expected `name` to be a string of 1 to 256 characters, got 5'],
    [{ name: 'x'.repeat(257) }, 'Expected `name` to be a string of 1 to 256 characters, got "xxx'],
    [{ concurrency: 0 }, 'Expected `concurrency` to be an integer from 1 to 65536, got 0'],
    [{ concurrency: 1.5 }, 'Expected `concurrency` to be an integer from 1 to 65536, got 1.5'],
    [{ concurrency: 65_537 }, 'Expected `concurrency` to be an integer from 1 to 65536, got 65537'],
    [{ concurrency: infinity }, 'Expected `concurrency` to be an integer from 1 to 65536, got Infinity'],
    [{ concurrency: '4' }, 'Expected `concurrency` to be an integer from 1 to 65536, got "4"'],
    [{ prefetch: -1 }, "Expected `prefetch` to be 'auto', or an integer from 0 to 65536, got -1"],
    [{ prefetch: null }, "Expected `prefetch` to be 'auto', or an integer from 0 to 65536, got null"],
    [
      { accepts: 'a' },
      'Expected `accepts` to be a list of at most 1024 task types of at most 256 characters, 8192 in all, or a function, got "a"',
    ],
    [
      { accepts: [1] },
      'Expected `accepts` to be a list of at most 1024 task types of at most 256 characters, 8192 in all, or a function, got an array',
    ],
    [
      { accepts: Array(1025).fill('t') },
      'Expected `accepts` to be a list of at most 1024 task types of at most 256 characters, 8192 in all, or a function, got an array',
    ],
    [
      { accepts: ['x'.repeat(257)] },
      'Expected `accepts` to be a list of at most 1024 task types of at most 256 characters, 8192 in all, or a function, got an array',
    ],
    [{ connectTimeout: 0 }, 'Expected `connectTimeout` to be a number of milliseconds ≥ 1, got 0'],
    [{ connectTimeout: infinity }, 'Expected `connectTimeout` to be a number of milliseconds ≥ 1, got Infinity'],
    [{ connectTimeout: '5s' }, 'Expected `connectTimeout` to be a number of milliseconds ≥ 1, got "5s"'],
    [{ grace: -1 }, 'Expected `grace` to be a number of milliseconds ≥ 0, got -1'],
    [{ grace: Number.NaN }, 'Expected `grace` to be a number of milliseconds ≥ 0, got NaN'],
    [{ codec: 'xml' }, 'Expected `codec` to be one of msgpack, json, got "xml"'],
    [{ codec: 'constructor' }, 'Expected `codec` to be one of msgpack, json, got "constructor"'],
    [{ logger: 'x' }, 'Expected `logger` to be an object, got "x"'],
    [{ masterHost: '' }, 'Expected `masterHost` to be a string of 1 to 255 characters, got ""'],
    [{ masterHost: 'exa mple' }, 'Expected `masterHost` to be a host name, got "exa mple"'],
    [{ masterHost: 'example.org/path' }, 'Expected `masterHost` to be a host name, got "example.org/path"'],
    [{ masterHost: 'me@example.org' }, 'Expected `masterHost` to be a host name, got "me@example.org"'],
    [{ masterHost: 'example.org?x' }, 'Expected `masterHost` to be a host name, got "example.org?x"'],
    [{ masterHost: '[::1' }, 'Expected `masterHost` to be a host name, got '],
    [{ masterPort: 0 }, 'Expected `masterPort` to be an integer from 1 to 65535, got 0'],
    [{ masterPort: 65_536 }, 'Expected `masterPort` to be an integer from 1 to 65535, got 65536'],
    [{ masterPort: '9000' }, 'Expected `masterPort` to be an integer from 1 to 65535, got "9000"'],
    [{ protocol: 'http' }, "Expected `protocol` to be 'ws' or 'wss', got \"http\""],
    [{ url: 'ws://x', masterHost: 'y' }, 'Expected `masterHost` to be absent, as `url` is given, got "y"'],
    [{ url: 'ws://x', masterPort: 1 }, 'Expected `masterPort` to be absent, as `url` is given, got 1'],
    [{ url: 'ws://x', protocol: 'ws' }, 'Expected `protocol` to be absent, as `url` is given, got "ws"'],
    [{ url: 'example.org' }, 'Expected `url` to be a WebSocket URL, got "example.org"'],
    [{ url: 'ftp://x' }, 'Expected `url` to be a WebSocket URL, got "ftp://x"'],
    [{ url: 'ws://x/#fragment' }, 'Expected `url` to be a WebSocket URL, got "ws://x/#fragment"'],
    [{ url: '' }, 'Expected `url` to be a WebSocket URL, got ""'],
  ])('is named with its value: %j', (options, message) => {
    expect(() => check(options)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
