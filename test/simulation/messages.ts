// What the frames of a simulation say.
import type { Frame } from '../../src/ports.ts';
import { codecOf } from '../../src/protocol/codec.ts';
import { MessageType } from '../../src/protocol/messages.ts';
import type { VirtualLink } from '../../src/testing/virtual-link.ts';

export type Message = readonly unknown[];

/** How a worker answers a lease. */
export const ANSWERS = new Map<unknown, string>([
  [MessageType.done, 'done'],
  [MessageType.failed, 'failed'],
  [MessageType.rejected, 'rejected'],
  [MessageType.released, 'released'],
]);

const NAMES = new Map<unknown, string>(Object.entries(MessageType).map(([name, type]) => [type, name]));

/** What a worker says in its hello, to go on with an older session. */
export interface ResumeRequest {
  readonly worker: string;
  readonly secret: string;
  readonly received: number;
}

/** What a welcome says of going on. */
export interface ResumeOffer {
  readonly secret: string;
  readonly window: number;
  readonly received?: number;
}

export interface WelcomeMap {
  readonly worker: string;
  readonly pingInterval: number;
  readonly socketTimeout: number;
  readonly resume?: ResumeOffer;
}

/** What a frame says that is alone with a welcome to an older session. */
export function welcomeBack([message]: readonly Message[]):
  | (WelcomeMap & { readonly resume: ResumeOffer })
  | undefined {
  if (message?.[0] !== MessageType.welcome) return undefined;
  const { resume, ...rest } = message[1] as WelcomeMap;
  return resume?.received === undefined ? undefined : { ...rest, resume };
}

/** What a result says of which call it comes from. */
export function executionOf(value: unknown): number {
  return typeof value === 'object' && value !== null && 'execution' in value ? Number(value.execution) : Number.NaN;
}

export function read(link: VirtualLink, frame: Frame): Message[] {
  const subprotocol = link.client.subprotocol || link.server?.subprotocol;
  const value = codecOf(subprotocol ?? '')?.read(typeof frame === 'string' ? frame : frame.buffer);
  return Array.isArray(value) ? value : [];
}

/** What had come to the master over that connection before that moment, and was not read. */
export function unreadOf(link: VirtualLink | undefined, beforeMs: number): Message[] {
  return link?.unreadBy('server', beforeMs).flatMap((frame) => read(link, frame)) ?? [];
}

/** Short, as there are many. */
export function inWords([type, id, more, , task]: Message): string {
  const name = NAMES.get(type) ?? String(type);
  if (typeof id === 'object') return name;
  if (type === MessageType.grant) return `${name} ${id} of ${(task as { readonly n: number }).n}/${more}`;
  return typeof more === 'number' || typeof more === 'string' ? `${name} ${id} ${more}` : `${name} ${id}`;
}
