// Runs the tests' tasks, in a page or in a thread of it.

import type { TaskContext } from 'taskdist';
import { type FaultResult, type FaultTask, GATES, misbehaviours } from './task.ts';

export async function runTask(task: FaultTask, context: TaskContext): Promise<unknown> {
  switch (task.type) {
    case 'square':
      return byPage(task.n ** 2);
    case 'hold':
      await opened(task.gate, context);
      return byPage(task.gate);
    case 'compute': {
      const endsAt = performance.now() + task.ms;
      while (performance.now() < endsAt);
      return byPage(task.ms);
    }
    case 'misbehave':
      return misbehaviours[task.how]();
  }
}

function byPage(value: unknown): FaultResult {
  return { by: 'page', value };
}

function opened(gate: string, context: TaskContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const gates = new BroadcastChannel(GATES);
    gates.onmessage = ({ data }) => {
      if (data !== gate) return;
      gates.close();
      resolve();
    };
    context.signal.addEventListener('abort', () => {
      gates.close();
      reject(context.signal.reason);
    });
    context.progress('holds');
  });
}
