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
  received: 13,
} as const;

/** How many leases a worker wants to hold beyond those it runs; `auto`: what the master finds best. */
export type Prefetch = number | 'auto';

/** The session that a worker was in when it lost its connection, and wants to go on with. */
export interface ResumeRequest {
  /** The worker's id in it. */
  readonly worker: string;
  /** As the welcome said. */
  readonly secret: string;
  /** How many of the master's frames came. */
  readonly received: number;
}

/** What a master says of going on after a connection is lost. */
export interface ResumeOffer {
  /** What the worker proves by that it is the same; nobody else knows it. */
  readonly secret: string;
  /** For how long the master keeps the session of a lost connection, in milliseconds. */
  readonly window: number;
  /** How many of the worker's frames came; there if its session goes on, else it is a new one. */
  readonly received?: number;
}

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
  /** `true`: it would like to go on after a lost connection. Absent: its session ends with its connection. */
  readonly resume?: true | ResumeRequest;
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
  /** Absent: the session ends with its connection. */
  readonly resume?: ResumeOffer;
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
/** How many frames of the peer came, in this session: those need not be kept any longer. */
export type Received = readonly [type: typeof MessageType.received, frames: number];
type Progress = readonly [type: typeof MessageType.progress, lease: number, value: unknown];
/** What a worker says to a lease, once. */
export type Answer = Done | Failed | Rejected | Released;
/** What a worker sends. */
export type WorkerMessage = Hello | Answer | Credit | Pong | Progress | Received;

type Welcome = readonly [type: typeof MessageType.welcome, master: MasterDescription];
type Grant = readonly [type: typeof MessageType.grant, lease: number, attempt: number, key: string, task: unknown];
type Cancel = readonly [type: typeof MessageType.cancel, lease: number, reason: CancelReason];
type Ping = readonly [type: typeof MessageType.ping, nonce: number];
type Recall = readonly [type: typeof MessageType.recall, lease: number];
/** What a master sends. */
export type MasterMessage = Welcome | Grant | Cancel | Ping | Recall | Received;

export type Message = WorkerMessage | MasterMessage;
