// The messages of the protocol: arrays whose first element says which. docs/protocol.md is their prose.
import type { ErrorDescription } from '../errors.ts';
import type { Labels } from '../labels.ts';

/** The version both sides must speak; also part of the subprotocols' names. */
export const PROTOCOL_VERSION = 1;

/** The first element of each message. The numbers are the wire format: never reuse one. */
export const MessageType = {
  hello: 0,
  welcome: 1,
  grant: 2,
  cancel: 3,
  ping: 4,
  done: 5,
  failed: 6,
  rejected: 7,
  released: 8,
  credit: 9,
  pong: 10,
  recall: 11,
  progress: 12,
} as const;

/** How many leases a worker wants to hold beyond those it runs; `auto`: what the master finds best. */
export type Prefetch = number | 'auto';

/** What a worker says of itself. */
export interface WorkerDescription {
  readonly version: number;
  readonly name: string;
  readonly platform: string;
  /** How many tasks it runs at once; 0 while it is paused. */
  readonly concurrency: number;
  readonly prefetch: Prefetch;
  /** The task types it takes; all, if absent. */
  readonly accepts?: readonly string[];
  /** What tasks can require of it. */
  readonly labels?: Labels;
  /** What it is let in by, where the master asks for it. */
  readonly token?: string;
}

/** What a master says of itself. */
export interface MasterDescription {
  readonly version: number;
  /** The worker's id with this master. */
  readonly worker: string;
  /** How often the master pings, in milliseconds. */
  readonly pingInterval: number;
  /** After how much silence either side gives the other up, in milliseconds. */
  readonly socketTimeout: number;
  /** The largest frame the master takes, in bytes. */
  readonly maxFrameBytes: number;
  /** How many messages per second the master takes that it has not asked for; absent: any. */
  readonly maxMessageRate?: number;
}

/** Why the master has taken back a lease that it granted. `superseded`: another attempt was first. */
export type CancelReason = 'aborted' | 'timeout' | 'superseded' | 'recalled';

type Hello = readonly [type: typeof MessageType.hello, worker: WorkerDescription];
type Done = readonly [type: typeof MessageType.done, lease: number, result: unknown];
type Failed = readonly [type: typeof MessageType.failed, lease: number, error: ErrorDescription];
type Rejected = readonly [type: typeof MessageType.rejected, lease: number, reason: string];
type Released = readonly [type: typeof MessageType.released, lease: number];
type Credit = readonly [
  type: typeof MessageType.credit,
  concurrency: number,
  prefetch: Prefetch,
  /** How many attempts occupy a slot at this moment, cancelled ones among them; not every client says it. */
  running?: number | undefined,
];
type Pong = readonly [
  type: typeof MessageType.pong,
  nonce: number,
  /** For how long, in milliseconds, the ping may have lain unread, as a handler held the thread; absent for not at all. */
  held?: number | undefined,
];
type Progress = readonly [type: typeof MessageType.progress, lease: number, value: unknown];
/** What a worker says to a lease, once. */
export type Answer = Done | Failed | Rejected | Released;
/** What a worker sends. */
export type WorkerMessage = Hello | Answer | Credit | Pong | Progress;

type Welcome = readonly [type: typeof MessageType.welcome, master: MasterDescription];
type Grant = readonly [type: typeof MessageType.grant, lease: number, attempt: number, key: string, task: unknown];
type Cancel = readonly [type: typeof MessageType.cancel, lease: number, reason: CancelReason];
type Ping = readonly [type: typeof MessageType.ping, nonce: number];
type Recall = readonly [type: typeof MessageType.recall, lease: number];
/** What a master sends. */
export type MasterMessage = Welcome | Grant | Cancel | Ping | Recall;

export type Message = WorkerMessage | MasterMessage;
