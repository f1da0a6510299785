// The options of a master: their defaults, and their checks.
import {
  type Complete,
  checkLogger,
  expectCount,
  expectInteger,
  expectKnown,
  expectMilliseconds,
  expectObject,
  expectString,
  refuse,
} from '../options.ts';
import { type Logger, silentLogger } from '../ports.ts';
import { type CheckedDoorOptions, checkDoorOptions, type DoorOptions, doorOptionNames } from './door-options.ts';
import type { UpgradeServer } from './upgrade-server.ts';

/** Options of a {@link Master}. All times are in milliseconds. */
export interface MasterOptions extends DoorOptions {
  /** The port to listen on, 0 to 65535; 0 takes any that is free. @defaultValue 9000 */
  readonly port?: number | undefined;
  /** The address to listen on. `0.0.0.0` opens the master to the network. @defaultValue '127.0.0.1' */
  readonly host?: string | undefined;
  /**
   * An `http.Server` or `https.Server` to attach to, instead of a server of the master's own: `port`, `host` and
   * `listenTimeout` are not used then, and opening and closing the server is left to you.
   */
  readonly server?: UpgradeServer | undefined;
  /** The path of the WebSocket endpoint. @defaultValue '/' */
  readonly path?: string | undefined;
  /** How long after an error the server is created anew, in milliseconds ≥ 0. @defaultValue 5000 */
  readonly listenTimeout?: number | undefined;
  /**
   * After how much silence a worker is given up and its tasks are returned, in milliseconds ≥ 100. Workers are asked
   * for a sign of life three times as often. A handler that blocks its thread for longer than this loses its
   * connection: run it in a {@link sandbox}. @defaultValue 30000
   */
  readonly socketTimeout?: number | undefined;
  /**
   * How long one attempt at a task may run, in milliseconds ≥ 1, or Infinity. It counts from the moment the attempt
   * starts, not while the task waits at the worker. The attempt then counts as failed. @defaultValue Infinity
   */
  readonly taskTimeout?: number | undefined;
  /**
   * For how long a worker whose connection is lost, without goodbye, keeps its leases, in milliseconds ≥ 0. If it comes back
   * until then, it delivers what it has done meanwhile. 0: they are released at once. @defaultValue 5000
   */
  readonly resumeWindow?: number | undefined;
  /**
   * How many tasks one worker may run at once at most, whatever it offers, an integer ≥ 1, or Infinity. So many tasks are lost at once with
   * one worker, at most. @defaultValue 1024
   */
  readonly maxConcurrency?: number | undefined;
  /**
   * How long a connection may take to say hello and to be let in (`authenticate`), in milliseconds ≥ 1; and as long again, on a
   * server of the master's own, to ask for it. @defaultValue 10000
   */
  readonly helloTimeout?: number | undefined;
  /**
   * The largest WebSocket message in either direction, in bytes, from 65 536 (64 KiB) to 1 073 741 824 (1 GiB): one
   * task, or one result, must fit. @defaultValue 1048576 (1 MiB)
   */
  readonly maxFrameBytes?: number | undefined;
  /** Gets what the master has to say. @defaultValue silent */
  readonly logger?: Logger | undefined;
}

const defaults = Object.freeze({
  port: 9000,
  host: '127.0.0.1',
  path: '/',
  listenTimeout: 5000,
  socketTimeout: 30_000,
  taskTimeout: Number.POSITIVE_INFINITY,
  resumeWindow: 5000,
  maxConcurrency: 1024,
  helloTimeout: 10_000,
  maxFrameBytes: 1_048_576,
  logger: silentLogger,
} satisfies MasterOptions);

/** Checked and complete. */
export type CheckedMasterOptions = Complete<Omit<MasterOptions, 'server' | keyof DoorOptions>> &
  CheckedDoorOptions & { readonly server: UpgradeServer | undefined };

/** Completes the options. @throws InvalidOptionError */
export function checkMasterOptions(options: MasterOptions): CheckedMasterOptions {
  expectObject('options', options);
  expectKnown('Master', options, [...Object.keys(defaults), ...doorOptionNames, 'server']);
  const { port = defaults.port, host = defaults.host, path = defaults.path, logger = defaults.logger } = options;
  const { listenTimeout = defaults.listenTimeout, socketTimeout = defaults.socketTimeout } = options;
  const { taskTimeout = defaults.taskTimeout, helloTimeout = defaults.helloTimeout } = options;
  const { maxFrameBytes = defaults.maxFrameBytes, resumeWindow = defaults.resumeWindow, server } = options;
  const { maxConcurrency = defaults.maxConcurrency } = options;
  expectInteger('port', port, 0, 65_535);
  expectString('host', host, 255);
  if (server !== undefined && !isServer(server)) refuse('server', 'an http.Server or https.Server', server);
  // Compared with what requests say, which is without a query and percent-encoded.
  if (typeof path !== 'string' || !/^\/[!-~]*$/.test(path) || /[?#]/.test(path)) {
    refuse('path', 'a path that starts with /, without query and percent-encoded', path);
  }
  expectMilliseconds('listenTimeout', listenTimeout, 0, false);
  expectMilliseconds('socketTimeout', socketTimeout, 100, false);
  expectMilliseconds('taskTimeout', taskTimeout, 1, true);
  expectMilliseconds('helloTimeout', helloTimeout, 1, false);
  expectMilliseconds('resumeWindow', resumeWindow, 0, false);
  expectCount('maxConcurrency', maxConcurrency, 1);
  expectInteger('maxFrameBytes', maxFrameBytes, 65_536, 1_073_741_824);
  return {
    port,
    host,
    server,
    path,
    listenTimeout,
    socketTimeout,
    taskTimeout,
    helloTimeout,
    resumeWindow,
    maxConcurrency,
    maxFrameBytes,
    logger: checkLogger('logger', logger),
    ...checkDoorOptions(options),
  };
}

function isServer(server: UpgradeServer): boolean {
  return (['on', 'off', 'listenerCount'] as const).every((method) => typeof server?.[method] === 'function');
}
