// The package in Node: everything.
export * from './isomorphic.ts';
export type { AttemptOutcome, MasterAddress, MasterEvent, WorkerInfo } from './master/events.ts';
export { Master, type MasterOptions } from './master/master.ts';
export type { UpgradeServer } from './master/upgrade-server.ts';
