// What the demo's server says of its cluster.

import type { ClusterSnapshot } from '../../../demo/cluster-snapshot.ts';

/** The state now: the first of the server-sent events. */
export async function readCluster(origin: string): Promise<ClusterSnapshot> {
  const response = await fetch(`${origin}/cluster`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const data = /^data: (.*)$/m.exec(text)?.[1];
    if (data !== undefined && text.endsWith('\n\n')) {
      await reader?.cancel();
      return JSON.parse(data) as ClusterSnapshot;
    }
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) {
      throw new Error(`No snapshot in ${JSON.stringify(text)}`);
    }
    text += chunk.value;
  }
}

export async function countRunning(origin: string): Promise<number> {
  const { workers } = await readCluster(origin);
  return workers.reduce((sum, { running }) => sum + running, 0);
}
