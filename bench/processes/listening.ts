// Starts a master on whatever port is free.
import type { Master } from 'taskdist';

export async function listen<T, R>(master: Master<T, R>): Promise<number> {
  const listening = new Promise<number>((resolve) => master.on('listening', ({ address }) => resolve(address.port)));
  await master.start();
  return listening;
}
