// The package in Node: everything.
export * from './isomorphic.ts';
export type { Authenticate, ConnectionRequest, Identity } from './master/authentication.ts';
export type { BanOptions, DoorOptions } from './master/door-options.ts';
export type { AttemptOutcome, MasterAddress, MasterEvent, WorkerInfo } from './master/events.ts';
export { Master } from './master/master.ts';
export type { MasterOptions } from './master/options.ts';
export { acceptTokens } from './master/tokens.ts';
export type { UpgradeServer } from './master/upgrade-server.ts';
