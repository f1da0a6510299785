import { describe, expect, it } from 'vitest';
import { codecs } from '../../../src/protocol/codec.ts';
import { Limits } from '../../../src/protocol/decode.ts';
import { MessageType, PROTOCOL_VERSION } from '../../../src/protocol/messages.ts';
import { checkWorkerOptions } from '../../../src/worker/options.ts';

/** JSON writes it as six characters, the most it makes of any. */
const CONTROL = '\u0001';

describe('the largest hello that the options allow', () => {
  it.each(['msgpack', 'json'] as const)('fits into the smallest frame that can be agreed on: %s', (codec) => {
    const types = Array<string>(Limits.acceptedTypes).fill(
      CONTROL.repeat(Limits.acceptedCharacters / Limits.acceptedTypes),
    );
    const name = CONTROL.repeat(Limits.nameCharacters);
    const options = checkWorkerOptions<unknown>({ name, accepts: types, concurrency: Limits.credit }, '', {
      doTask: () => undefined,
    });
    const hello = {
      version: PROTOCOL_VERSION,
      name: options.name,
      platform: name,
      concurrency: options.concurrency,
      prefetch: Limits.credit,
      accepts: options.acceptedTypes ?? [],
    };
    const writer = codecs[codec].createWriter();
    expect(() => writer.add([MessageType.hello, hello], Limits.frameBytes)).not.toThrow();
  });

  it('is kept by refusing more accepted types than that', () => {
    const tooMany = Array<string>(33).fill('x'.repeat(Limits.nameCharacters));
    expect(() => checkWorkerOptions<unknown>({ accepts: tooMany }, 'n', { doTask: () => undefined })).toThrow(
      '8192 characters in all',
    );
  });
});
