import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextTurn } from '../../support/event-loop.ts';
import { follow } from '../../support/holders.ts';
import { openScheduler } from '../../support/scheduler.ts';

/** What would have ended the process. */
const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

const notOne: readonly (readonly [string, () => unknown])[] = [
  ['has been rejected', () => Promise.reject(new Error('no'))],
  ['rejects soon', async () => Promise.resolve().then(() => Promise.reject(new Error('no')))],
  ['rejects though its class hides how to catch it', () => Hidden.reject(new Error('no'))],
  ['is no real one, and throws when it is asked', () => withThen({ value: expectNothing })],
  ['has a `then` that cannot be read', () => withThen({ get: expectNothing })],
];

function withThen(property: PropertyDescriptor): object {
  return Object.defineProperty({}, 'then', property);
}

class Hidden<T> extends Promise<T> {
  override catch(): never {
    return expectNothing();
  }
}

function expectNothing(): never {
  throw new Error('nobody asked for it');
}

describe('`verify.equals` that returns a promise', () => {
  it.each(notOne)('says no, and does no harm, if that %s', async (_how, returned) => {
    const { scheduler, holder } = openScheduler({
      // As somebody who writes no types may have it.
      verify: { trust: false, maxReplicas: 2, equals: returned as () => boolean },
    });
    const outcome = follow(scheduler.put('task'));
    for (const id of ['a', 'b']) scheduler.complete(await holder(id).takeOne(), 1);
    // Rejections are told of when a turn is over.
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(outcome()).toMatchObject({
      reason: { code: 'TASKDIST_NO_QUORUM', cause: { message: expect.stringContaining('`verify.equals`') } },
    });
    expect(unhandled).toEqual([]);
  });
});
