// A line between pages and their master that can be cut, or go dead.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #isDead = false;
  /** How many connections were made. */
  connections = 0;

  constructor(targetPort: number) {
    this.#server = createServer((inner) => {
      if (this.#isCut) {
        inner.destroy();
        return;
      }
      this.connections += 1;
      const outer = connect(targetPort, '127.0.0.1');
      this.#join(inner, outer);
      this.#join(outer, inner);
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections, and every new one. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on nothing comes through, and nobody is told. */
  goDead(): void {
    this.#isDead = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Whatever waits comes through. */
  mend(): void {
    this.#isCut = false;
    this.#isDead = false;
    for (const socket of this.#sockets) socket.resume();
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => to.write(chunk));
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isDead) from.pause();
  }
}
