// What a peer sent, from `unknown` to messages: the one validator of all that comes in.
// Each direction is a file of its own, as a page needs one of them.
export { decodeMasterFrame } from './decode-master.ts';
export { decodeWorkerFrame } from './decode-worker.ts';
export { FrameError, Limits, VersionError } from './shapes.ts';
