// Raw `ws` in the master's place: one JSON text frame per task and per result, and nothing that could be left out.
import { serve } from '../harness/serve.ts';
import { cpuMs } from './cpu.ts';
import { expectSum, tenth } from './fibonacci.ts';
import { TripStopwatch, type Trips } from './trips.ts';
import { connected, listen } from './ws-single.ts';

const calls = {
  listen,

  /** Sends one message at a time, and waits until it has come back. */
  trips(messages: number): Promise<Trips> {
    const socket = connected();
    return new Promise((resolve) => {
      const stopwatch = new TripStopwatch(messages);
      let received = 0;
      const send = () => socket.send(JSON.stringify({ id: received + 1, task: tenth }));
      socket.on('message', function receive(data) {
        const { id }: { id: number } = JSON.parse(data.toString());
        stopwatch.lap();
        if (id !== ++received) throw new Error(`Expected ${received} to come back, got ${id}`);
        if (received < messages) return send();
        socket.off('message', receive);
        resolve(stopwatch.trips());
      });
      send();
    });
  },

  /** Sends so many tasks, never more than `outstanding` of them unanswered. */
  compute(tasks: number, outstanding: number): Promise<{ elapsedMs: number; cpuMs: number }> {
    const socket = connected();
    return new Promise((resolve, reject) => {
      const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
      let [sent, received, sum] = [0, 0, 0];
      const send = () => socket.send(JSON.stringify({ id: ++sent, task: tenth }));
      socket.on('message', function receive(data) {
        const { result }: { id: number; result: number } = JSON.parse(data.toString());
        sum += result;
        if (sent < tasks) send();
        if (++received < tasks) return;
        socket.off('message', receive);
        const figures = { elapsedMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
        try {
          expectSum(sum, tasks);
          resolve(figures);
        } catch (error) {
          reject(error);
        }
      });
      while (sent < Math.min(outstanding, tasks)) send();
    });
  },
};

export type WsServer = typeof calls;
serve(calls);
