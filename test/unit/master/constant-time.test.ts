// That a comparison tells nothing by its time is not measured, which would be noise: the work that it does is counted.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isSameSecret } from '../../../src/master/constant-time.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualMaster } from '../../support/master.ts';
import { helloOf } from '../../support/peers.ts';

const SECRET = '0123456789abcdef';

const wrong = [
  ['wrong in its first character', `x${SECRET.slice(1)}`],
  ['wrong in its last character', `${SECRET.slice(0, -1)}x`],
  ['wrong in all', 'x'.repeat(SECRET.length)],
  ['longer', `${SECRET}0`],
  ['much longer', SECRET.repeat(1000)],
  ['shorter by a character', SECRET.slice(0, -1)],
  ['its beginning', SECRET.slice(0, 4)],
  ['its end', SECRET.slice(4)],
  ['of zeros', '\0'.repeat(SECRET.length)],
  ['empty', ''],
] as const;

/** Notes from now on, until it is restored, which characters of these texts are looked at, in their order. */
function watch(...texts: string[]): { looks: number[][]; restore(): void } {
  const looks = texts.map((): number[] => []);
  const original = String.prototype.charCodeAt;
  const spy = vi.spyOn(String.prototype, 'charCodeAt').mockImplementation(function (this: string, index) {
    looks[texts.indexOf(String(this))]?.push(index);
    return original.call(this, index);
  });
  onTestFinished(() => spy.mockRestore());
  return { looks, restore: () => spy.mockRestore() };
}

const ALL = [...SECRET].map((_, index) => index);

describe('isSameSecret', () => {
  it('knows the secret', () => {
    expect(isSameSecret(SECRET, SECRET)).toBe(true);
    expect(isSameSecret([...SECRET].join(''), SECRET)).toBe(true);
    expect(isSameSecret('', '')).toBe(true);
  });

  it.each(wrong)('does not take a guess for it that is %s', (_what, guess) => {
    expect(isSameSecret(guess, SECRET)).toBe(false);
  });

  it('takes no text for it that only begins like it, whatever is behind', () => {
    expect(isSameSecret(`${SECRET}\0`, SECRET)).toBe(false);
    expect(isSameSecret(SECRET, `${SECRET}\0`)).toBe(false);
    expect(isSameSecret('\0', '')).toBe(false);
    expect(isSameSecret('', '\0')).toBe(false);
  });

  it('goes by the characters alone', () => {
    // An object is never equal to a text, whatever characters it has.
    expect(Reflect.apply(isSameSecret, undefined, [Object(SECRET), SECRET])).toBe(true);
  });

  it.each(wrong)('looks at all characters of both, no less and no more, for a guess that is %s', (_what, guess) => {
    const { looks, restore } = watch(guess, SECRET);
    isSameSecret(guess, SECRET);
    restore();
    expect(looks).toEqual([ALL, ALL]);
  });
});

describe('a master to which a worker comes back', () => {
  it.each(['x'.repeat(8), 'secret x'])('looks at all of a secret that is wrong: %j', async (guess) => {
    const master = new VirtualMaster({ resumeWindowMs: 5000 });
    const peer = await master.connect();
    peer.send(helloOf({ resume: true }));
    await master.clock.settle();
    const [first] = peer.news();
    expect(first).toMatchObject([MessageType.welcome, { resume: { secret: 'secret 1' } }]);
    const stranger = await master.connect();
    stranger.send(helloOf({ resume: { worker: 'w1', secret: guess, received: 1 } }));
    const { looks, restore } = watch(guess);
    await master.clock.settle();
    restore();
    expect(looks).toEqual([Array.from(guess, (_, index) => index)]);
  });
});
