// Frames for tests: made by hand, and taken apart again.
import type { Frame } from '../../src/ports.ts';
import { type Codec, codecOf } from '../../src/protocol/codec.ts';
import { decodeMasterFrame, decodeWorkerFrame } from '../../src/protocol/decode.ts';
import type { MasterMessage, Message, WorkerMessage } from '../../src/protocol/messages.ts';
import { toHex } from './hex.ts';

const UNLIMITED = Number.POSITIVE_INFINITY;

/** The frames that a codec makes of messages, all in one go. */
export function encode(codec: Codec, messages: readonly Message[], maxFrameBytes = UNLIMITED): Frame[] {
  const writer = codec.createWriter();
  for (const message of messages) writer.add(message, maxFrameBytes);
  return writer.take(maxFrameBytes);
}

/** The one frame that a codec makes of messages. @throws if it is not one */
export function encodeOne(codec: Codec, messages: readonly Message[]): Frame {
  const [frame, ...others] = encode(codec, messages);
  if (frame === undefined || others.length > 0) throw new Error('Not a single frame');
  return frame;
}

/** How a frame looks on paper: text, or bytes in hexadecimal. */
export function show(frame: Frame): string {
  return typeof frame === 'string' ? frame : toHex(frame);
}

export function byteLength(frame: Frame): number {
  return typeof frame === 'string' ? new TextEncoder().encode(frame).byteLength : frame.byteLength;
}

/** A value after a journey over the wire, as the result of a task. */
export function roundTrip(codec: Codec, value: unknown): unknown {
  const [message] = decodeWorkerFrame(codec.read(encodeOne(codec, [[5, 1, value]])));
  if (message?.[0] !== 5) throw new Error('Something else came back');
  return message[2];
}

function codecOfFrame(frame: Frame): Codec {
  const codec = codecOf(typeof frame === 'string' ? 'taskdist.v1.json' : 'taskdist.v1.msgpack');
  if (codec === undefined) throw new Error('No such codec');
  return codec;
}

/** The messages of frames that a worker sent, frame by frame. */
export function workerMessages(frames: readonly Frame[]): (readonly WorkerMessage[])[] {
  return frames.map((frame) => decodeWorkerFrame(codecOfFrame(frame).read(frame)));
}

/** The messages of frames that a master sent, frame by frame. */
export function masterMessages(frames: readonly Frame[]): (readonly MasterMessage[])[] {
  return frames.map((frame) => decodeMasterFrame(codecOfFrame(frame).read(frame)));
}
