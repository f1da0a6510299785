// A master with many idle workers: what one connection costs.
import { FifoScheduler, Master } from 'taskdist';
import { serve } from '../harness/serve.ts';
import { residentBytes } from './garbage.ts';
import { listen } from './listening.ts';

const master = new Master(new FifoScheduler<unknown, unknown>(), { port: 0 });

const calls = {
  listen: () => listen(master),
  residentBytes,
  connections: () => master.workers().length,
};

export type CrowdMaster = typeof calls;
serve(calls);
