import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expectLabels,
  expectRequirements,
  isLabels,
  type Label,
  LabelLimits,
  type Labels,
  labelsKey,
  matches,
  type Requirement,
  type Requirements,
  requirementsKey,
} from '../../src/labels.ts';

// Few names and values, so that equal ones are common; among them those that mean something to an object.
const names = fc.constantFrom('a', 'b', '"a"', '__proto__', 'constructor');
const label: fc.Arbitrary<Label> = fc.constantFrom(true, false, 0, 1, 8, -0.5, '', '8', 'true', 'eu');
const range = fc
  .tuple(fc.constantFrom(0, 1, 8), fc.constantFrom(0, 1, 8), fc.constantFrom('both', 'min', 'max'))
  .map(([a, b, ends]) => ({
    ...(ends === 'max' ? {} : { min: Math.min(a, b) }),
    ...(ends === 'min' ? {} : { max: Math.max(a, b) }),
  }));
const list = fc.array(label, { minLength: 1, maxLength: 4 });
const requirement: fc.Arbitrary<Requirement> = fc.oneof(label, range, list);

/** Objects whose prototype is the usual one, with own properties of whatever name. */
const objectOf = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Readonly<Record<string, Value>>> =>
  fc.uniqueArray(fc.tuple(names, values), { selector: ([name]) => name, maxLength: 4 }).map(Object.fromEntries);

const reversed = <Value>(object: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(object).reverse());

/** An own property of a name that a literal would take for the prototype. */
const ownProto = <Value>(value: Value): Record<string, Value> => Object.fromEntries([['__proto__', value]]);

const isSame = <Value>(
  a: Readonly<Record<string, Value>>,
  b: Readonly<Record<string, Value>>,
  isSameValue: (a: Value, b: Value) => boolean,
): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, value]) => Object.hasOwn(b, name) && isSameValue(value, b[name]!));

const isSameLabel = (a: Label, b: Label): boolean => a === b;

/** Lists are the same if they hold the same, in whatever order and however often. */
function isSameRequirement(a: Requirement, b: Requirement): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if ('length' in a && 'length' in b)
    return a.every((value) => b.includes(value)) && b.every((value) => a.includes(value));
  return !('length' in a) && !('length' in b) && a.min === b.min && a.max === b.max;
}

describe('matches', () => {
  it.each<[Labels, Requirements, boolean]>([
    [{ gpu: true }, { gpu: true }, true],
    [{ gpu: false }, { gpu: true }, false],
    [{ memory: 8 }, { memory: 8 }, true],
    [{ memory: '8' }, { memory: 8 }, false],
    [{ memory: 8 }, { memory: '8' }, false],
    [{ gpu: 'true' }, { gpu: true }, false],
    [{ gpu: 1 }, { gpu: true }, false],
    [{ region: 'eu' }, { region: 'eu' }, true],
    [{ region: 'eu' }, { region: 'us' }, false],
  ])('compares a value and its type: %j and %j', (labels, requirements, expected) => {
    expect(matches(labels, requirements)).toBe(expected);
  });

  it.each<[Label, Requirement, boolean]>([
    [4, { min: 4 }, true],
    [3.9, { min: 4 }, false],
    [4, { max: 4 }, true],
    [4.1, { max: 4 }, false],
    [6, { min: 4, max: 8 }, true],
    [9, { min: 4, max: 8 }, false],
    [0, { min: -1, max: 0 }, true],
    ['6', { min: 4, max: 8 }, false],
    [true, { min: 0, max: 8 }, false],
  ])('takes numbers within a range, its ends included: %j in %j', (memory, range, expected) => {
    expect(matches({ memory }, { memory: range })).toBe(expected);
  });

  it.each<[Label, readonly Label[], boolean]>([
    ['eu', ['eu', 'us'], true],
    ['asia', ['eu', 'us'], false],
    [8, ['8'], false],
    [8, ['8', 8], true],
  ])('takes one of a list: %j of %j', (region, values, expected) => {
    expect(matches({ region }, { region: values })).toBe(expected);
  });

  it('requires all that is required', () => {
    const requirements: Requirements = { gpu: true, memory: { min: 4 } };
    expect(matches({ gpu: true, memory: 8, other: 1 }, requirements)).toBe(true);
    expect(matches({ gpu: true, memory: 2 }, requirements)).toBe(false);
    expect(matches({ memory: 8 }, requirements)).toBe(false);
  });

  it('is true where nothing is required', () => {
    for (const labels of [undefined, {}, { gpu: true }]) {
      expect([matches(labels, undefined), matches(labels, {})]).toEqual([true, true]);
    }
  });

  it.each<[Requirement, boolean]>([
    [false, true],
    [true, false],
    [0, false],
    ['', false],
    [{ min: 0 }, false],
    [{ max: 0 }, false],
    [['eu', false], true],
    [['eu', 0, true], false],
  ])('reads a label that is absent as false: %j', (required, expected) => {
    expect([matches({}, { gpu: required }), matches(undefined, { gpu: required })]).toEqual([expected, expected]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('inherits no label: %s', (name) => {
    const required = (value: Requirement): Requirements => Object.fromEntries([[name, value]]);
    for (const labels of [{}, undefined, Object.create({ [name]: 8 })]) {
      expect(matches(labels, required(false))).toBe(true);
      for (const value of [true, 8, { min: 0 }]) expect(matches(labels, required(value))).toBe(false);
    }
    expect(matches(Object.fromEntries([[name, 8]]), required(8))).toBe(true);
  });

  it('requires nothing that is inherited', () => {
    expect(matches({}, Object.create({ gpu: true }))).toBe(true);
  });

  it('takes of a list what it takes of one of its values', () => {
    fc.assert(
      fc.property(objectOf(label), names, list, (labels, name, values) => {
        const one = (value: Requirement): boolean => matches(labels, Object.fromEntries([[name, value]]));
        return one(values) === values.some(one);
      }),
    );
  });

  it('takes any value for what it is', () => {
    fc.assert(fc.property(objectOf(label), (labels) => matches(labels, labels)));
  });
});

describe('labelsKey', () => {
  it('is empty if there are none', () => {
    expect([labelsKey(undefined), labelsKey({})]).toEqual(['', '']);
  });

  it('tells types apart', () => {
    const keys = [8, '8', true, 'true', false, 0, '', '0'].map((a) => labelsKey({ a }));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not go by the order of names', () => {
    fc.assert(fc.property(objectOf(label), (labels) => labelsKey(labels) === labelsKey(reversed(labels))));
  });

  it('is equal if and only if the labels are', () => {
    fc.assert(
      fc.property(
        objectOf(label),
        objectOf(label),
        (a, b) => (labelsKey(a) === labelsKey(b)) === isSame(a, b, isSameLabel),
      ),
    );
  });

  it('makes nothing of names and values that look like parts of it', () => {
    const text = fc.string({ unit: fc.constantFrom('"', ',', ':', '[', ']', '\\', 'a', '1'), maxLength: 4 });
    const labels = fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.integer()), { maxKeys: 2 });
    fc.assert(fc.property(labels, labels, (a, b) => (labelsKey(a) === labelsKey(b)) === isSame(a, b, isSameLabel)));
    expect(labelsKey({ 'a",true],["b': true })).not.toBe(labelsKey({ a: true, b: true }));
  });
});

describe('requirementsKey', () => {
  it('is empty if there are none', () => {
    expect([requirementsKey(undefined), requirementsKey({})]).toEqual(['', '']);
  });

  it('does not go by the order of names, ends of ranges, and listed values', () => {
    const key = requirementsKey({ gpu: true, memory: { min: 4, max: 8 }, region: ['eu', 'us', 'eu'] });
    expect(requirementsKey({ region: ['us', 'eu'], memory: { max: 8, min: 4 }, gpu: true })).toBe(key);
  });

  it('tells kinds apart', () => {
    const kinds: Requirement[] = [
      8,
      '8',
      [8],
      ['8'],
      [8, '8'],
      { min: 8 },
      { max: 8 },
      { min: 8, max: 8 },
      true,
      [true],
    ];
    const keys = kinds.map((a) => requirementsKey({ a }));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is equal if and only if the requirements say the same', () => {
    fc.assert(
      fc.property(
        objectOf(requirement),
        objectOf(requirement),
        (a, b) => (requirementsKey(a) === requirementsKey(b)) === isSame(a, b, isSameRequirement),
      ),
    );
  });
});

describe('expectLabels', () => {
  it('takes texts, numbers and booleans', () => {
    const labels = { gpu: true, memory: 8, region: 'eu', empty: '', zero: 0, no: false };
    for (const value of [{}, labels, Object.assign(Object.create(null), labels), ownProto(8)]) {
      expect(() => expectLabels('labels', value)).not.toThrow();
      expect(isLabels(value)).toBe(true);
    }
  });

  it.each([
    ['null', null, 'Expected `labels` to be a plain object, got null'],
    ['a list', ['gpu'], 'Expected `labels` to be a plain object, got an array'],
    ['a map', new Map(), 'Expected `labels` to be a plain object, got an object'],
    ['inherited labels', Object.create({ gpu: true }), 'Expected `labels` to be a plain object, got an object'],
    [
      'a number that is not finite',
      { memory: Number.NaN },
      'Expected `labels.memory` to be a string of at most 256 characters, a finite number or a boolean, got NaN',
    ],
    ['infinity', { memory: Number.POSITIVE_INFINITY }, '`labels.memory`'],
    ['undefined', { region: undefined }, '`labels.region`'],
    ['null inside', { region: null }, '`labels.region`'],
    ['a bigint', { memory: 8n }, '`labels.memory`'],
    ['a list inside', { region: ['eu'] }, '`labels.region`'],
    ['an object as prototype', ownProto({ gpu: true }), '`labels.__proto__`'],
    [
      'a getter',
      {
        get memory() {
          return 8;
        },
      },
      'Expected `labels.memory` to be a value, got a function',
    ],
    ['a name without characters', { '': 1 }, 'Expected `labels` to be an object whose names have 1 to 256 characters'],
  ])('refuses %s', (_, value, message) => {
    expect(() => expectLabels('labels', value)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
    expect(isLabels(value)).toBe(false);
  });

  it('takes as much as is allowed, and no more', () => {
    const long = 'x'.repeat(LabelLimits.characters);
    const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, i]));
    const full = { [long]: long, a: 'x'.repeat(255), b: 'x'.repeat(255) };
    for (const [allowed, refused, message] of [
      [{ a: long }, { a: `${long}x` }, '`labels.a` to be a string of at most 256 characters'],
      [{ [long]: 1 }, { [`${long}x`]: 1 }, 'names have 1 to 256 characters'],
      [many(64), many(65), '`labels` to be an object of at most 64 names, got 65'],
      [
        full,
        { ...full, c: '' },
        '`labels` to be an object whose names and texts have at most 1024 characters, got 1025',
      ],
    ] as const) {
      expect(() => expectLabels('labels', allowed)).not.toThrow();
      expect(() => expectLabels('labels', refused)).toThrow(message);
      expect([isLabels(allowed), isLabels(refused)]).toEqual([true, false]);
    }
  });
});

describe('the longest labels that are taken', () => {
  it('fill an eighth of the smallest frame at most, whatever JSON makes of their characters', () => {
    // JSON writes each of these characters as six, and no number longer than this one.
    const nameOf = (index: number): string =>
      String.fromCharCode(14 + (index % 8), 14 + Math.floor(index / 8)).padEnd(
        LabelLimits.totalCharacters / LabelLimits.labels,
        '\u0001',
      );
    const entries = Array.from({ length: LabelLimits.labels }, (_, index) => [nameOf(index), -2.2250738585072014e-308]);
    const labels: Labels = Object.fromEntries(entries);
    expect([Object.keys(labels).length, isLabels(labels)]).toEqual([LabelLimits.labels, true]);
    expect(JSON.stringify(labels).length).toBeLessThanOrEqual(65_536 / 8);
  });
});

describe('isLabels', () => {
  const angry = (): never => {
    throw new Error('no');
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();

  it.each([
    [
      'a getter that throws',
      {
        get gpu() {
          return angry();
        },
      },
    ],
    ['a proxy without a prototype', new Proxy({}, { getPrototypeOf: angry })],
    ['a proxy without names', new Proxy({}, { ownKeys: angry })],
    ['a proxy without properties', new Proxy({ a: 1 }, { getOwnPropertyDescriptor: angry })],
    ['a revoked proxy', revoked.proxy],
    ['an object whose description throws', { a: { [Symbol.toPrimitive]: angry, toString: angry } }],
    ['nothing', undefined],
    ['a symbol', Symbol('s')],
    ['a function', () => ({})],
  ])('is false for %s', (_, value) => {
    expect(isLabels(value)).toBe(false);
  });

  it('never throws, and takes what expectLabels takes', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true, withSparseArray: true });
    fc.assert(
      fc.property(fc.oneof(anything, objectOf(label)), (value) => {
        let isTaken = true;
        try {
          expectLabels('labels', value);
        } catch {
          isTaken = false;
        }
        return isLabels(value) === isTaken;
      }),
    );
  });

  it('pollutes nothing', () => {
    const labels = ownProto({ polluted: true });
    isLabels(labels);
    isLabels(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'));
    labelsKey(ownProto('polluted'));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('expectRequirements', () => {
  it.each<[Requirements]>([
    [{}],
    [{ gpu: true, memory: { min: 4 }, region: ['eu', 8, false], name: '' }],
    [{ memory: { max: 0 } }],
    [{ memory: { min: 4, max: 4 } }],
    [ownProto({ min: 1 })],
    [{ long: Array<string>(64).fill('x'.repeat(256)) }],
  ])('takes values, ranges and lists: %j', (requirements) => {
    expect(() => expectRequirements('requires', requirements)).not.toThrow();
  });

  it.each([
    ['no object', 'gpu', 'Expected `requires` to be a plain object, got "gpu"'],
    ['a list', ['gpu'], 'Expected `requires` to be a plain object, got an array'],
    [
      'what is no requirement',
      { memory: Number.NaN },
      'Expected `requires.memory` to be a string of at most 256 characters, a finite number or a boolean, a list of such, or a range with `min` or `max`, got NaN',
    ],
    ['undefined', { memory: undefined }, '`requires.memory`'],
    ['null', { memory: null }, '`requires.memory`'],
    ['a date', { memory: new Date(0) }, '`requires.memory`'],
    ['a long text', { region: 'x'.repeat(257) }, '`requires.region`'],
    ['an empty range', { memory: {} }, 'Expected `requires.memory` to be a range with `min` or `max`, got an object'],
    ['a range of nothing', { memory: { min: undefined } }, 'Expected `requires.memory` to be a range'],
    ['NaN as an end', { memory: { min: Number.NaN } }, 'Expected `requires.memory.min` to be a finite number, got NaN'],
    ['infinity as an end', { memory: { max: Number.POSITIVE_INFINITY } }, '`requires.memory.max`'],
    ['a text as an end', { memory: { max: '8' } }, 'Expected `requires.memory.max` to be a finite number, got "8"'],
    [
      'an end without a beginning',
      { memory: { min: 8, max: 4 } },
      'Expected `requires.memory.min` to be at most 4, got 8',
    ],
    [
      'what is misspelt',
      { memory: { mim: 4 } },
      'Unknown option `mim` for `requires.memory`; the options are min, max',
    ],
    ['what is misspelt beside', { memory: { max: 4, mim: 4 } }, 'Unknown option `mim` for `requires.memory`'],
    ['an empty list', { region: [] }, 'Expected `requires.region` to be a list of 1 to 64 values, got an array'],
    ['a long list', { region: Array(65).fill('eu') }, 'Expected `requires.region` to be a list of 1 to 64 values'],
    ['a range in a list', { region: ['eu', { min: 1 }] }, 'Expected `requires.region[1]` to be a string'],
    ['a hole in a list', { region: Array(1) }, 'Expected `requires.region[0]` to be a string'],
    ['a name without characters', { '': 1 }, 'names have 1 to 256 characters'],
    ['too many', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`r${i}`, i])), 'at most 64 names, got 65'],
  ])('refuses %s', (_, value, message) => {
    expect(() => expectRequirements('requires', value)).toThrow(
      expect.objectContaining({ code: 'TASKDIST_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('takes all that the properties here are tried on', () => {
    fc.assert(fc.property(objectOf(requirement), (requirements) => expectRequirements('requires', requirements)));
  });
});
