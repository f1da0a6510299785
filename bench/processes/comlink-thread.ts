// What Comlink's thread offers.
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { fibonacci } from './fibonacci.ts';

const api = { fibonacci };

export type ComlinkThread = typeof api;

if (parentPort === null) throw new Error('Expected to be a worker thread');
expose(api, nodeEndpoint(parentPort));
