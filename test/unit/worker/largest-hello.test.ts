import { describe, expect, it } from 'vitest';
import { LabelLimits, type Labels } from '../../../src/labels.ts';
import { codecs } from '../../../src/protocol/codec.ts';
import { Limits } from '../../../src/protocol/decode.ts';
import { MessageType, PROTOCOL_VERSION } from '../../../src/protocol/messages.ts';
import { checkWorkerOptions } from '../../../src/worker/options.ts';

/** JSON writes it as six characters, the most it makes of any. */
const CONTROL = '\u0001';

/** As many labels as there may be, with as many characters as they may have; the others take numbers, the longest there are. */
function largestLabels(): Labels {
  const names = Array.from({ length: LabelLimits.labels }, (_, index) => `${CONTROL}${index.toString(36)}`);
  const used = names.join('').length;
  const texts = Math.floor((LabelLimits.totalCharacters - used) / LabelLimits.characters);
  const rest = (LabelLimits.totalCharacters - used) % LabelLimits.characters;
  return Object.fromEntries(
    names.map((name, index) => {
      if (index < texts) return [name, CONTROL.repeat(LabelLimits.characters)];
      return [name, index === texts ? CONTROL.repeat(rest) : -Number.MAX_VALUE];
    }),
  );
}

describe('the largest hello that the options allow', () => {
  it.each(['msgpack', 'json'] as const)('fits into the smallest frame that can be agreed on: %s', (codec) => {
    const types = Array<string>(Limits.acceptedTypes).fill(
      CONTROL.repeat(Limits.acceptedCharacters / Limits.acceptedTypes),
    );
    const name = CONTROL.repeat(Limits.nameCharacters);
    const labels = largestLabels();
    const options = checkWorkerOptions<unknown>({ name, accepts: types, concurrency: Limits.credit, labels }, '', {
      doTask: () => undefined,
    });
    const hello = {
      version: PROTOCOL_VERSION,
      name: options.name,
      platform: name,
      concurrency: options.concurrency,
      prefetch: Limits.credit,
      accepts: options.acceptedTypes ?? [],
      labels: options.labels ?? {},
    };
    const writer = codecs[codec].createWriter();
    expect(() => writer.add([MessageType.hello, hello], Limits.frameBytes)).not.toThrow();
  });

  it('has as many characters of labels as there may be', () => {
    const characters = (labels: Labels): number =>
      Object.entries(labels)
        .flat()
        .filter((each) => typeof each === 'string')
        .join('').length;
    expect(characters(largestLabels())).toBe(LabelLimits.totalCharacters);
    expect(Object.keys(largestLabels())).toHaveLength(LabelLimits.labels);
    const tooMany = { ...largestLabels(), [`${CONTROL}z`]: 'x' };
    expect(() => checkWorkerOptions<unknown>({ labels: tooMany }, 'n', { doTask: () => undefined })).toThrow(
      'Expected `labels` to be an object whose names and texts have at most 1024 characters, got 1025',
    );
  });

  it('is kept by refusing more accepted types than that', () => {
    const tooMany = Array<string>(33).fill('x'.repeat(Limits.nameCharacters));
    expect(() => checkWorkerOptions<unknown>({ accepts: tooMany }, 'n', { doTask: () => undefined })).toThrow(
      '8192 in all',
    );
  });
});
