// Labels: what workers say they have, what tasks require of them, and whether the one fulfils the other.
import { expectKnown, refuse } from './options.ts';

/** What one label says: a text of at most 256 characters, a finite number, or yes or no. */
export type Label = string | number | boolean;

/**
 * What a worker has, by name, e.g. `{ gpu: true, memory: 8, region: 'eu' }`. At most 64 labels, whose names have 1 to 256
 * characters; names and texts together have at most 1024.
 */
export type Labels = Readonly<Record<string, Label>>;

/**
 * What a task requires of one label: to be equal to a value; to be a number within a range, whose ends are included and
 * of which one may be left out; or to be one of 1 to 64 values. Types count: `8` is not `'8'`.
 *
 * A label that the worker does not have reads as `false`. So `gpu: false` is fulfilled by a worker that says nothing of
 * a GPU, and any text, number or range is not.
 */
export type Requirement = Label | { readonly min?: number; readonly max?: number } | readonly Label[];

/**
 * What a task requires of a worker, by label; all of it must hold, e.g. `{ gpu: true, memory: { min: 4 } }`. At most 64
 * requirements, with names and texts as in {@link Labels}, however long together.
 */
export type Requirements = Readonly<Record<string, Requirement>>;

/** How much may be said; more is refused. */
export const LabelLimits = Object.freeze({
  /** Of one worker; also the requirements of one task, and the values that one requirement lists. */
  labels: 64,
  /** Of a name, and of a text. */
  characters: 256,
  /**
   * Of a worker's names and texts together: a hello must fit into the smallest frame, whatever JSON makes of its
   * characters.
   */
  totalCharacters: 1024,
});

const LABEL = `a string of at most ${LabelLimits.characters} characters, a finite number or a boolean`;

/** Refuses what is not {@link Labels}. @throws InvalidOptionError */
export function expectLabels(name: string, value: unknown): void {
  let characters = 0;
  for (const [label, content] of entriesOf(name, value)) {
    expectLabel(`${name}.${label}`, content);
    characters += label.length + (typeof content === 'string' ? content.length : 0);
  }
  if (characters <= LabelLimits.totalCharacters) return;
  refuse(name, `an object whose names and texts have at most ${LabelLimits.totalCharacters} characters`, characters);
}

/** Refuses what is not {@link Requirements}. @throws InvalidOptionError */
export function expectRequirements(name: string, value: unknown): void {
  for (const [label, requirement] of entriesOf(name, value)) expectRequirement(`${name}.${label}`, requirement);
}

/** Whether a value, of whatever origin, is what {@link expectLabels} takes. Never throws. */
export function isLabels(value: unknown): value is Labels {
  try {
    expectLabels('labels', value);
    return true;
  } catch {
    // A proxy may throw anything.
    return false;
  }
}

/** Whether a worker with these labels, or none, fulfils these requirements, or none. */
export function matches(labels: Labels | undefined, requirements: Requirements | undefined): boolean {
  if (requirements === undefined) return true;
  for (const [name, requirement] of Object.entries(requirements)) {
    const label = labels !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (!fulfils(label ?? false, requirement)) return false;
  }
  return true;
}

/** The same text for labels that match alike, another for others; empty if there are none. */
export function labelsKey(labels: Labels | undefined): string {
  return labels === undefined ? '' : keyOf(labels, (label) => label);
}

/**
 * The same text for requirements that say the same, whatever the order of their names and of the values they list;
 * another for others; empty if there are none.
 */
export function requirementsKey(requirements: Requirements | undefined): string {
  return requirements === undefined ? '' : keyOf(requirements, canonical);
}

/** The names and values of a plain object; refuses what is none, or has too many or too long names. */
function entriesOf(name: string, value: unknown): (readonly [name: string, value: unknown])[] {
  if (!isPlainObject(value)) refuse(name, 'a plain object', value);
  const names = Object.keys(value);
  if (names.length > LabelLimits.labels) refuse(name, `an object of at most ${LabelLimits.labels} names`, names.length);
  return names.map((key) => {
    if (key.length === 0 || key.length > LabelLimits.characters) {
      refuse(name, `an object whose names have 1 to ${LabelLimits.characters} characters`, key.slice(0, 300));
    }
    const property = Object.getOwnPropertyDescriptor(value, key);
    // A getter could say something else whenever it is asked.
    if (property?.get !== undefined) refuse(`${name}.${key}`, 'a value', property.get);
    return [key, property?.value];
  });
}

/** Asks for what a literal is, not for `Object`: an object may be of another realm. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isLabel(value: unknown): value is Label {
  if (typeof value === 'string') return value.length <= LabelLimits.characters;
  return typeof value === 'boolean' || Number.isFinite(value);
}

function expectLabel(name: string, value: unknown): void {
  if (!isLabel(value)) refuse(name, LABEL, value);
}

function expectRequirement(name: string, value: unknown): void {
  if (Array.isArray(value)) expectList(name, value);
  else if (isPlainObject(value)) expectRange(name, value);
  else if (!isLabel(value)) refuse(name, `${LABEL}, a list of such, or a range with \`min\` or \`max\``, value);
}

function expectList(name: string, list: readonly unknown[]): void {
  if (list.length === 0 || list.length > LabelLimits.labels) {
    refuse(name, `a list of 1 to ${LabelLimits.labels} values`, list);
  }
  for (const [index, value] of list.entries()) expectLabel(`${name}[${index}]`, value);
}

function expectRange(name: string, range: object): void {
  expectKnown(`\`${name}\``, range, ['min', 'max']);
  const { min, max }: { min?: unknown; max?: unknown } = range;
  if (min === undefined && max === undefined) refuse(name, 'a range with `min` or `max`', range);
  expectEnd(`${name}.min`, min);
  expectEnd(`${name}.max`, max);
  if (typeof min === 'number' && typeof max === 'number' && min > max) refuse(`${name}.min`, `at most ${max}`, min);
}

function expectEnd(name: string, value: unknown): void {
  if (value !== undefined && !Number.isFinite(value)) refuse(name, 'a finite number', value);
}

function isList(requirement: Requirement): requirement is readonly Label[] {
  return Array.isArray(requirement);
}

function fulfils(label: Label, requirement: Requirement): boolean {
  if (typeof requirement !== 'object') return label === requirement;
  if (isList(requirement)) return requirement.includes(label);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = requirement;
  return typeof label === 'number' && label >= min && label <= max;
}

/** JSON tells numbers from texts, and writes each number in one way. */
function keyOf<Value>(values: Readonly<Record<string, Value>>, canonicalOf: (value: Value) => unknown): string {
  const entries = Object.entries(values).map(([name, value]) => [name, canonicalOf(value)] as const);
  if (entries.length === 0) return '';
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function canonical(requirement: Requirement): unknown {
  if (typeof requirement !== 'object') return requirement;
  if (!isList(requirement)) return { min: requirement.min, max: requirement.max };
  const texts = new Set(requirement.map((label) => JSON.stringify(label)));
  return [...texts].sort();
}
