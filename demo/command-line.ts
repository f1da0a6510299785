// What the two commands of the demo are told, by arguments and environment.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** The command line makes no sense; the message says what would. */
export class UsageError extends Error {}

export const SERVER_USAGE = `Usage: npm start -- [options]

  --port N       the port to listen on; 0 takes any free one (default 8080, or PORT)
  --host NAME    the address to listen on; 0.0.0.0 opens it to your network (default 127.0.0.1, or HOST)
  --threads N    how many threads the server's own worker uses (default: all cores but one)
  --no-worker    start no worker here; tiles wait until someone contributes`;

export const WORKER_USAGE = `Usage: npm run worker -- --master ws://host:port [options]

  --master URL   the master to work for
  --threads N    how many tiles to compute at once (default: all cores but one)
  --name TEXT    what the others see in the list`;

export interface ServerOptions {
  readonly port: number;
  readonly host: string;
  readonly threads: number;
  readonly hasOwnWorker: boolean;
}

export interface WorkerOptions {
  readonly master: string;
  readonly threads: number;
  readonly name: string;
}

/** Undefined when only help is wanted. */
export function readServerOptions(
  args: string[],
  environment: Readonly<Record<string, string | undefined>>,
): ServerOptions | undefined {
  const values = parse(args, {
    port: { type: 'string' },
    host: { type: 'string' },
    threads: { type: 'string' },
    'no-worker': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    return undefined;
  }
  return {
    port: readInteger('--port', values.port ?? environment['PORT'] ?? '8080', 0, 65535),
    host: values.host ?? environment['HOST'] ?? '127.0.0.1',
    threads: readThreads(values.threads),
    hasOwnWorker: !values['no-worker'],
  };
}

/** Undefined when only help is wanted. */
export function readWorkerOptions(args: string[]): WorkerOptions | undefined {
  const values = parse(args, {
    master: { type: 'string' },
    threads: { type: 'string' },
    name: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    return undefined;
  }
  if (values.master === undefined) {
    throw new UsageError('Say which master to work for: --master ws://host:port');
  }
  return {
    master: readMaster(values.master),
    threads: readThreads(values.threads),
    name: values.name ?? `Node on ${platformName(process.platform)}`,
  };
}

function parse<const Options extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readMaster(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['ws:', 'wss:'].includes(url.protocol)) {
    throw new UsageError(`Expected --master to be like ws://host:port, got ${JSON.stringify(text)}`);
  }
  if (url.pathname === '/') {
    url.pathname = '/taskdist';
  }
  return url.href;
}

function readThreads(text: string | undefined): number {
  return text === undefined ? Math.max(1, availableParallelism() - 1) : readInteger('--threads', text, 1, 1024);
}

function readInteger(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(`Expected ${name} to be an integer from ${min} to ${max}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function platformName(platform: string): string {
  return { aix: 'AIX', darwin: 'macOS', freebsd: 'FreeBSD', linux: 'Linux', win32: 'Windows' }[platform] ?? platform;
}
