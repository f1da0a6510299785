// The other side of a child: answers the bench's calls, and ends when the bench does.
import type { CallMessage, ChildMessage } from './child.ts';

/** What reaches the whole group, as Ctrl-C or a terminal that is closed: the bench hears it too, and lets go. */
const GROUP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Answers calls by the functions given, until the bench lets go or is no more. */
export function serve<Calls extends object>(calls: Calls): Calls {
  const byName = new Map<string, unknown>(Object.entries(calls));
  for (const signal of GROUP_SIGNALS) process.on(signal, () => {});
  process.on('disconnect', () => void end());
  process.on('message', (message: CallMessage) => void answer(message));
  if (!process.connected) void end();
  send({ kind: 'ready' });
  return calls;

  async function answer({ id, name, args }: CallMessage): Promise<void> {
    try {
      const call = byName.get(name);
      if (typeof call !== 'function') throw new Error(`There is no ${name} to call`);
      send({ kind: 'answer', id, value: await call(...args) });
    } catch (error) {
      send({ kind: 'failure', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}

const endings: (() => void | Promise<void>)[] = [];

/** Has something done before the process ends. */
export function beforeEnd(action: () => void | Promise<void>): void {
  endings.push(action);
}

async function end(): Promise<void> {
  try {
    for (const action of endings) await action();
  } finally {
    // What is open would keep it alive; a profile is written on exit.
    process.exit(0);
  }
}

function send(message: ChildMessage): void {
  // Nobody to answer: the process is about to end.
  if (process.connected) process.send?.(message);
}
