// What a peer sent, from `unknown` to messages: the one validator of all that comes in.
import type { ErrorDescription } from '../errors.ts';
import {
  type MasterDescription,
  type MasterMessage,
  MessageType,
  PROTOCOL_VERSION,
  type WorkerDescription,
  type WorkerMessage,
} from './messages.ts';

/** The frame is not one of the protocol; the connection ends with this reason. */
export class FrameError extends Error {
  override get name(): string {
    return 'FrameError';
  }
}

/** The peer speaks another version, so that nothing else it says can be judged. */
export class VersionError extends Error {
  override get name(): string {
    return 'VersionError';
  }
}

/** What the protocol allows; docs/protocol.md has the same numbers. */
export const Limits = {
  nameCharacters: 256,
  textCharacters: 16_384,
  /** No worker has so many cores; what is beyond is a mistake or an attack. */
  credit: 65_536,
  acceptedTypes: 1024,
} as const;

/** Decodes what a worker sent. @throws FrameError, VersionError */
export function decodeWorkerFrame(value: unknown): readonly WorkerMessage[] {
  return decodeFrame(value, isWorkerMessage);
}

/** Decodes what a master sent. @throws FrameError, VersionError */
export function decodeMasterFrame(value: unknown): readonly MasterMessage[] {
  return decodeFrame(value, isMasterMessage);
}

function decodeFrame<M>(value: unknown, isMessage: (message: unknown) => message is M): readonly M[] {
  if (!Array.isArray(value)) throw new FrameError('A frame must be an array of messages');
  const messages: readonly unknown[] = value;
  if (!messages.every(isMessage)) {
    const index = messages.findIndex((message) => !isMessage(message));
    throw new FrameError(`Message ${index} of a frame of ${messages.length} is not a valid message`);
  }
  return messages;
}

function isWorkerMessage(message: unknown): message is WorkerMessage {
  if (!Array.isArray(message)) return false;
  switch (message[0]) {
    case MessageType.hello:
      return message.length === 2 && isWorkerDescription(message[1]);
    case MessageType.done:
      return message.length === 3 && isId(message[1]);
    case MessageType.failed:
      return message.length === 3 && isId(message[1]) && isErrorDescription(message[2]);
    case MessageType.rejected:
      return message.length === 3 && isId(message[1]) && isText(message[2], Limits.textCharacters);
    case MessageType.released:
    case MessageType.pong:
      return message.length === 2 && isId(message[1]);
    case MessageType.credit:
      return message.length === 3 && isCredit(message[1]) && isCredit(message[2]);
    default:
      return false;
  }
}

function isMasterMessage(message: unknown): message is MasterMessage {
  if (!Array.isArray(message)) return false;
  switch (message[0]) {
    case MessageType.welcome:
      return message.length === 2 && isMasterDescription(message[1]);
    case MessageType.grant:
      return message.length === 5 && isId(message[1]) && isId(message[2]) && isText(message[3], Limits.nameCharacters);
    case MessageType.cancel:
      return message.length === 3 && isId(message[1]) && (message[2] === 'aborted' || message[2] === 'timeout');
    case MessageType.ping:
      return message.length === 2 && isId(message[1]);
    default:
      return false;
  }
}

function isWorkerDescription(value: unknown): value is WorkerDescription {
  if (!isRecord(value)) return false;
  expectVersion(value['version']);
  return (
    isText(value['name'], Limits.nameCharacters) &&
    isText(value['platform'], Limits.nameCharacters) &&
    isCredit(value['concurrency']) &&
    isCredit(value['prefetch']) &&
    (value['accepts'] === undefined || isAcceptedTypes(value['accepts']))
  );
}

function isMasterDescription(value: unknown): value is MasterDescription {
  if (!isRecord(value)) return false;
  expectVersion(value['version']);
  return (
    isText(value['worker'], Limits.nameCharacters) &&
    isPositive(value['pingInterval']) &&
    isPositive(value['socketTimeout']) &&
    isPositive(value['maxFrameBytes'])
  );
}

/** Checked before the rest, which another version may spell differently. */
function expectVersion(version: unknown): void {
  if (version !== PROTOCOL_VERSION) {
    throw new VersionError(typeof version === 'number' ? `version ${version}` : 'an unknown version');
  }
}

function isErrorDescription(value: unknown): value is ErrorDescription {
  if (!isRecord(value)) return false;
  const { name, message, stack, code } = value;
  return (
    isText(name, Limits.nameCharacters) &&
    isText(message, Limits.textCharacters) &&
    (stack === undefined || isText(stack, Limits.textCharacters)) &&
    (code === undefined || typeof code === 'number' || isText(code, Limits.nameCharacters))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, maxCharacters: number): boolean {
  return typeof value === 'string' && value.length <= maxCharacters;
}

function isId(value: unknown): boolean {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}

function isCredit(value: unknown): boolean {
  return isId(value) && typeof value === 'number' && value <= Limits.credit;
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function isAcceptedTypes(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= Limits.acceptedTypes &&
    value.every((type) => isText(type, Limits.nameCharacters))
  );
}
