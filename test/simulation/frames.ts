// The frames of a session, counted as docs/protocol.md, section 7, says: which were sent before, and which have come.
import type { Frame } from '../../src/ports.ts';
import type { VirtualLink } from '../../src/testing/virtual-link.ts';
import type { Side } from '../../src/testing/virtual-socket.ts';
import type { Message, ResumeRequest } from './messages.ts';
import type { SessionView } from './views.ts';

interface SentFrame {
  readonly frame: Frame;
  readonly messages: readonly Message[];
}

/** What one side has sent in a session, whatever connections it went over. */
export class FrameLog {
  readonly sent: SentFrame[] = [];
  /** How many of them the other side has heard. */
  heard = 0;
}

/** What is on its way over a connection. */
interface Underway {
  /** The number of the frame in its session, from 0; undefined if it is not counted. */
  readonly index: number | undefined;
  readonly messages: readonly Message[];
}

/** One connection, and the sessions that go over it: at first one of its own, then maybe an older one. */
export interface Wire {
  readonly link: VirtualLink;
  atMaster: SessionView;
  atWorker: SessionView;
  /** What the worker asks to go on with. */
  request: ResumeRequest | undefined;
  /** The number of the frame in its session that each side sends next. */
  readonly next: Record<Side, number>;
  /** By its sender: frames arrive in their order, or none does any more. */
  readonly underway: Readonly<Record<Side, Underway[]>>;
  /** Which ends are closed, or being closed: nobody listens there. */
  readonly closed: Record<Side, boolean>;
}

export function createWire(link: VirtualLink, session: SessionView): Wire {
  return {
    link,
    atMaster: session,
    atWorker: session,
    request: undefined,
    next: { client: 0, server: 0 },
    underway: { client: [], server: [] },
    // Who says hello so late may have been turned away already.
    closed: { client: false, server: link.server !== undefined && link.server.state !== 'open' },
  };
}

/** After these a session goes on: the only ones in a simulation that nobody has sent. */
export function isLoss(code: number): boolean {
  return code === 1005 || code === 1006;
}

export function isSameFrame(a: Frame, b: Frame): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
