// The simulation in processes of its own: it goes the same way there, and notices known ways to break the library.
import { describe, expect, it } from 'vitest';
import { testedBites } from '../../scripts/bites.mjs';
import { bundleSimulation, liveSeeds, type Report } from '../../scripts/simulating.mjs';
import { live } from '../simulation/life.ts';

async function report(bundle: string, seeds: readonly number[]): Promise<Report[]> {
  const reports: Report[] = [];
  await liveSeeds(bundle, seeds, (each) => reports.push(each) > 0, 1);
  return reports;
}

describe('the simulation', () => {
  it('goes the same way in another process, and in another order', async () => {
    const reports = await report(await bundleSimulation('whole'), [4, 2, 3]);
    expect(reports.map(({ seed, life }) => [seed, life?.hash])).toEqual(
      await Promise.all([4, 2, 3].map(async (seed) => [seed, (await live(seed)).hash])),
    );
  });

  it.each(testedBites)('notices with seed $seed that $name', async ({ name, seed, replacements }) => {
    const [{ failure } = { failure: undefined }] = await report(
      await bundleSimulation(`tested-${testedBites.findIndex((bite) => bite.name === name)}`, replacements),
      [seed],
    );
    expect(failure).toContain(`Seed ${seed}`);
  });

  it('does not replace what stands nowhere, or twice', async () => {
    const inTimers = (from: string) => bundleSimulation('stale', [{ file: 'src/timer-queue.ts', from, to: '' }]);
    await expect(inTimers('what is not there')).rejects.toThrow('stands 0 times');
    await expect(inTimers('this.#clock.now()')).rejects.toThrow(/stands [2-9] times/);
    const elsewhere = [{ file: 'src/nowhere.ts', from: '', to: '' }];
    await expect(bundleSimulation('stale', elsewhere)).rejects.toThrow('no part of the simulation');
  });
});
