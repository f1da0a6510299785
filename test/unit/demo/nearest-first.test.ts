import { describe, expect, it } from 'vitest';
import { NearestFirst } from '../../../demo/page/nearest-first.ts';
import { nextTurn } from '../../support/event-loop.ts';

/** Requests whose answers the test gives, each named by its distance. */
function setup(limit: number) {
  const queue = new NearestFirst(limit);
  const started: number[] = [];
  const answers = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const request = (place: number, { centre = { at: 0 }, signal = new AbortController().signal } = {}) =>
    queue.run(
      () => Math.abs(place - centre.at),
      () => {
        started.push(place);
        return new Promise<number>((resolve, reject) => {
          answers.set(place, { resolve: () => resolve(place), reject });
        });
      },
      signal,
    );
  return { started, answers, request };
}

describe('NearestFirst', () => {
  it('starts the nearest of those that came together, whatever their order', async () => {
    const { started, request } = setup(2);
    for (const place of [5, 1, 4, 2, 3]) {
      void request(place);
    }
    await nextTurn();
    expect(started).toEqual([1, 2]);
  });

  it('starts the next nearest when one has its answer, or has failed', async () => {
    const { started, answers, request } = setup(1);
    const requests = [3, 1, 2].map((place) => request(place));
    await nextTurn();
    answers.get(1)?.resolve();
    expect(await requests[1]).toBe(1);
    await nextTurn();
    expect(started).toEqual([1, 2]);
    answers.get(2)?.reject(new Error('lost'));
    await expect(requests[2]).rejects.toThrow('lost');
    await nextTurn();
    expect(started).toEqual([1, 2, 3]);
  });

  it('goes by where the centre is when there is room', async () => {
    const { started, answers, request } = setup(1);
    const centre = { at: 0 };
    for (const place of [1, 2, 9]) {
      void request(place, { centre });
    }
    await nextTurn();
    centre.at = 10;
    answers.get(1)?.resolve();
    await nextTurn();
    expect(started).toEqual([1, 9]);
  });

  it('never starts what is not wanted any more', async () => {
    const { started, answers, request } = setup(1);
    const departure = new AbortController();
    void request(1);
    const left = request(2, { signal: departure.signal });
    void request(3);
    await nextTurn();
    departure.abort();
    await expect(left).rejects.toHaveProperty('name', 'AbortError');
    answers.get(1)?.resolve();
    await nextTurn();
    expect(started).toEqual([1, 3]);
  });

  it('leaves it to a request under way what its signal means', async () => {
    const { started, answers, request } = setup(1);
    const departure = new AbortController();
    const first = request(1, { signal: departure.signal });
    void request(2);
    await nextTurn();
    departure.abort();
    await nextTurn();
    expect(started).toEqual([1]);
    answers.get(1)?.resolve();
    expect(await first).toBe(1);
  });

  it('takes nothing that is not wanted already', async () => {
    const { started, request } = setup(1);
    await expect(request(1, { signal: AbortSignal.abort() })).rejects.toHaveProperty('name', 'AbortError');
    await nextTurn();
    expect(started).toEqual([]);
  });
});
