import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readServerOptions, readWorkerOptions, UsageError } from '../../../demo/command-line.ts';

const threads = Math.max(1, availableParallelism() - 1);

describe('readServerOptions', () => {
  it('has defaults', () => {
    expect(readServerOptions([], {})).toEqual({ port: 8080, host: '127.0.0.1', threads, hasOwnWorker: true });
  });

  it('reads arguments before the environment', () => {
    const environment = { PORT: '81', HOST: 'example.test' };
    expect(readServerOptions([], environment)).toMatchObject({ port: 81, host: 'example.test' });
    expect(readServerOptions(['--port', '0', '--host', '0.0.0.0', '--no-worker', '--threads=3'], environment)).toEqual({
      port: 0,
      host: '0.0.0.0',
      threads: 3,
      hasOwnWorker: false,
    });
  });

  it('is undefined when help is asked for', () => {
    expect(readServerOptions(['--help'], {})).toBeUndefined();
  });

  it.each([['65536'], ['-1'], ['1.5'], ['x'], ['']])('refuses --port=%s and says what would do', (port) => {
    expect(() => readServerOptions([`--port=${port}`], {})).toThrow(
      new UsageError(`Expected --port to be an integer from 0 to 65535, got ${JSON.stringify(port)}`),
    );
  });

  it('refuses what it does not know', () => {
    expect(() => readServerOptions(['--prot', '1'], {})).toThrow(UsageError);
    expect(() => readServerOptions(['extra'], {})).toThrow(UsageError);
  });
});

describe('readWorkerOptions', () => {
  it('adds the path of the master where the URL has none', () => {
    expect(readWorkerOptions(['--master', 'ws://host:80'])).toMatchObject({ master: 'ws://host/taskdist', threads });
    expect(readWorkerOptions(['--master', 'wss://host:8080/'])).toMatchObject({ master: 'wss://host:8080/taskdist' });
    expect(readWorkerOptions(['--master', 'ws://host/other'])).toMatchObject({ master: 'ws://host/other' });
  });

  it('reads threads and name', () => {
    expect(readWorkerOptions(['--master', 'ws://host', '--threads', '2', '--name', 'Attic'])).toMatchObject({
      threads: 2,
      name: 'Attic',
    });
  });

  it.each([
    [[]],
    [['--master', 'http://host']],
    [['--master', 'host:8080']],
    [['--master', 'ws://h', '--threads', '0']],
  ])('refuses %j', (args) => {
    expect(() => readWorkerOptions(args)).toThrow(UsageError);
  });
});
