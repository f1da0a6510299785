// Handlers that throw what bites whoever touches it.
import { describe, expect, it } from 'vitest';
import { describeError, isTaskdistError, messageOf } from '../../../src/errors.ts';
import { MessageType } from '../../../src/protocol/messages.ts';
import { VirtualWorker } from '../../support/worker.ts';

const { grant, done, failed, rejected } = MessageType;

const bite = (): never => {
  throw new Error('bitten');
};

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** A proxy that throws, whatever is done to it. */
function bitingProxy(): object {
  const traps = Reflect.ownKeys(Reflect).filter((trap) => typeof trap === 'string');
  return new Proxy({}, Object.fromEntries(traps.map((trap) => [trap, bite])));
}

function throwingGetters(marks: PropertyDescriptorMap = {}): object {
  const getters = ['code', 'name', 'message', 'stack', 'reason', 'then', 'toString', Symbol.toPrimitive, 'cause'];
  const descriptors = Object.fromEntries(getters.map((name) => [name, { get: bite }]));
  return Object.defineProperties({}, { ...descriptors, ...marks });
}

const mark = { [Symbol.for('taskdist.error')]: { value: true } };

const hostile: [string, () => unknown][] = [
  ['a revoked proxy', revokedProxy],
  ['a proxy whose traps throw', bitingProxy],
  ['an object whose getters throw', () => throwingGetters()],
  ['one that passes for an error of the library besides', () => throwingGetters(mark)],
  ['an object without a prototype', () => Object.create(null)],
  ['a symbol', () => Symbol('thrown')],
  ['nothing', () => undefined],
];

describe.each(hostile)('a handler that throws %s', (_what, create) => {
  it.each(['at once', 'later'])('%s fails the attempt, and the worker goes on', async (when) => {
    const thrown = create();
    const { clock, master, worker, events } = await new VirtualWorker<string, string>((task) => {
      if (task === 'good') return 'result';
      if (when === 'at once') throw thrown;
      return Promise.reject(thrown);
    }).connect();
    master.last.send([grant, 1, 1, 'a', 'bad'], [grant, 2, 1, 'b', 'good'], [grant, 3, 1, 'c', 'bad']);
    await clock.settle();
    master.last.send([grant, 4, 1, 'd', 'good']);
    await clock.settle();
    const answers = master.last.news().map(([type, lease]) => [type, lease]);
    expect(answers.sort(([, a], [, b]) => Number(a) - Number(b))).toEqual([
      [failed, 1],
      [done, 2],
      [failed, 3],
      [done, 4],
    ]);
    expect(worker.state).toBe('connected');
    expect(events.filter(({ type }) => type === 'taskSettled')).toHaveLength(4);
  });

  it('has it described, and not taken for an error of the library', () => {
    const thrown = create();
    expect(isTaskdistError(thrown, 'TASKDIST_TASK_REJECTED')).toBe(false);
    expect(typeof messageOf(thrown)).toBe('string');
    expect(describeError(thrown)).toEqual({ name: 'Error', message: expect.any(String) });
  });
});

describe('a rejection of another copy of the library', () => {
  it.each<[string, PropertyDescriptor]>([
    ['a getter that throws', { get: bite }],
    ['a revoked proxy', { value: revokedProxy() }],
    ['a text that is too long', { value: 'x'.repeat(100_000) }],
    ['nothing', { value: undefined }],
  ])('is a rejection, whatever its reason: %s', async (_what, reason) => {
    const rejection = throwingGetters({ ...mark, code: { value: 'TASKDIST_TASK_REJECTED' }, reason });
    const { clock, master } = await new VirtualWorker<string, string>((task) => {
      if (task === 'good') return 'result';
      throw rejection;
    }).connect();
    master.last.send([grant, 1, 1, 'a', 'bad'], [grant, 2, 1, 'b', 'good']);
    await clock.settle();
    expect(master.last.news()).toEqual([
      [rejected, 1, expect.any(String)],
      [done, 2, 'result'],
    ]);
  });
});
