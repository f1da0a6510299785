// What an admission keeps while it is found out who a worker is: asked of the engine, which knows all objects that there are.
import { queryObjects } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/master/admission.ts';
import type { Verdict } from '../../../src/master/authentication.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { TimerQueue } from '../../../src/timer-queue.ts';

/** A text that can be found. */
class Token extends String {}

/** In here only is the token held by the test. */
function admit(verdict: Promise<Verdict>): { admission: Admission; asked: string[]; letIn: unknown[] } {
  const asked: string[] = [];
  const letIn: unknown[] = [];
  const worker = { version: 1, name: 'Ada', platform: 'test', concurrency: 1, prefetch: 0, token: new Token('s3cr3t') };
  const conversation = { isOpen: true, handTo() {}, end() {} };
  const admitted = { letIn: (described: unknown) => letIn.push(described), refused() {} };
  const admission: Admission = Reflect.construct(Admission, [admitted, worker, conversation, undefined]);
  const authenticate = (token: string | undefined): Promise<Verdict> => {
    asked.push(`${token}`);
    return verdict;
  };
  admission.start(authenticate, new TimerQueue(new VirtualClock(0)), 500);
  return { admission, asked, letIn };
}

describe('Admission', () => {
  it('keeps no token once it has asked, and hands none on', async () => {
    let answer: (verdict: Verdict) => void = () => {};
    const { admission, asked, letIn } = admit(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    expect(asked).toEqual(['s3cr3t']);
    // While the answer is not there.
    expect(queryObjects(Token, { format: 'count' })).toBe(0);
    answer({ kind: 'let in', identity: undefined });
    await new Promise((resolve) => setImmediate(resolve));
    expect(letIn).toEqual([{ version: 1, name: 'Ada', platform: 'test', concurrency: 1, prefetch: 0 }]);
    expect(admission).toBeInstanceOf(Admission);
  });

  it('would be found out if it did', () => {
    const kept = new Token('s3cr3t');
    expect(queryObjects(Token, { format: 'count' })).toBe(1);
    expect(`${kept}`).toBe('s3cr3t');
  });
});
