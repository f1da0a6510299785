import { describe, expect, it } from 'vitest';
import { checkOrigins, isAllowedOrigin } from '../../../src/master/origins.ts';

describe('a master without `origins`', () => {
  it.each([
    ['http://example.org', 'example.org'],
    ['https://example.org', 'example.org'],
    ['http://example.org:9000', 'example.org:9000'],
    ['http://127.0.0.1:9000', '127.0.0.1:9000'],
    ['http://[::1]:9000', '[::1]:9000'],
    // A proxy may write the port that goes without saying.
    ['https://example.org', 'example.org:443'],
    ['http://example.org', 'EXAMPLE.org:80'],
  ])('lets in a page of %s that connects to %s', (origin, host) => {
    expect(isAllowedOrigin(undefined, origin, host)).toBe(true);
  });

  it.each([
    ['http://example.org', 'example.org:9000'],
    ['http://example.org:9000', 'example.org:9001'],
    ['http://evil.example', 'example.org'],
    ['http://example.org.evil.example', 'example.org'],
    ['http://evil.example/example.org', 'example.org'],
    ['http://example.org', 'example.org:443'],
    ['http://localhost:9000', '127.0.0.1:9000'],
    ['http://a.example, http://b.example', 'a.example'],
    ['null', 'example.org'],
    ['null', 'null'],
    ['', 'example.org'],
    ['', ''],
    ['file://', ''],
    ['http://example.org', undefined],
  ])('lets in no page of %s that connects to %s', (origin, host) => {
    expect(isAllowedOrigin(undefined, origin, host)).toBe(false);
  });

  it('lets in programs, which name no origin', () => {
    expect(isAllowedOrigin(undefined, undefined, 'example.org')).toBe(true);
  });
});

describe('a list of origins', () => {
  const origins = checkOrigins(['https://Example.org', 'http://localhost:5173/', 'chrome-extension://abcdef']);

  it.each(['https://example.org', 'http://localhost:5173', 'chrome-extension://abcdef'])('lets in %s', (origin) => {
    expect(isAllowedOrigin(origins, origin, 'elsewhere')).toBe(true);
  });

  it.each([
    'http://example.org',
    'https://example.org:8443',
    'https://www.example.org',
    'https://example.org.evil.example',
    'https://elsewhere',
    'null',
    '',
  ])('keeps out %s', (origin) => {
    expect(isAllowedOrigin(origins, origin, 'elsewhere')).toBe(false);
  });

  it('lets in programs, which name no origin', () => {
    expect(isAllowedOrigin(origins, undefined, 'elsewhere')).toBe(true);
  });

  it('names a port only if it does not go without saying', () => {
    expect(isAllowedOrigin(checkOrigins(['https://example.org:443']), 'https://example.org', 'x')).toBe(true);
  });

  it('may be empty', () => {
    expect(isAllowedOrigin(checkOrigins([]), 'https://example.org', 'example.org')).toBe(false);
  });

  it.each(['https://example.org', 'null', 'file://', ''])('that is all of them lets in %s', (origin) => {
    expect(isAllowedOrigin(checkOrigins('*'), origin, 'elsewhere')).toBe(true);
  });

  it.each([
    ['https://example.org/page'],
    ['https://example.org?x'],
    ['https://example.org#x'],
    ['https://user@example.org'],
    ['wss://example.org'],
    ['example.org'],
    ['null'],
    ['*'],
    [''],
    [7],
  ])('refuses %j', (origin) => {
    // @ts-expect-error: not always a text
    expect(() => checkOrigins(['https://example.org', origin])).toThrow('Expected `origins[1]` to be');
  });

  it('must be a list', () => {
    // @ts-expect-error: a text
    expect(() => checkOrigins('https://example.org')).toThrow('Expected `origins` to be');
  });
});
