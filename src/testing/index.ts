// `taskdist/testing`: the package in a world that a test moves.
export type { Clock, Random } from '../ports.ts';
export type { LineOptions, PlaceOptions } from './place.ts';
export { SimulatedMaster } from './simulated-master.ts';
export { SimulatedWorker } from './simulated-worker.ts';
export { Simulation, type SimulationOptions, type UntilOptions } from './simulation.ts';
