// `npm start`: serves the fractal map and starts a worker beside it.

import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readServerOptions, SERVER_USAGE, type ServerOptions, UsageError } from './command-line.ts';
import { DemoServer } from './demo-server.ts';
import { drainOnSignal } from './drain-on-signal.ts';
import { OwnWorker } from './own-worker.ts';
import { StaticFiles } from './static-files.ts';

const PAGE = fileURLToPath(new URL('../page', import.meta.url));

try {
  const options = readServerOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    console.log(SERVER_USAGE);
  } else {
    await run(options);
  }
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function run(options: ServerOptions): Promise<void> {
  const server = new DemoServer(await StaticFiles.read(PAGE));
  const port = await server.start(options.port, options.host);
  const ownWorker = options.hasOwnWorker
    ? new OwnWorker(`ws://${urlHost(ownAddress(options.host))}:${port}`, options.threads)
    : undefined;
  drainOnSignal(async (graceMs) => {
    await Promise.all([ownWorker?.drain(), server.drain(graceMs)]);
  });
  announce(options.host, port);
}

function announce(host: string, port: number): void {
  const isOpen = isAnyAddress(host);
  const addresses = isOpen ? ['localhost', ...lanAddresses()] : [host === '127.0.0.1' ? 'localhost' : host];
  console.log(`taskdist demo: ${addresses.map((address) => `http://${urlHost(address)}:${port}`).join('  ')}`);
  if (!isOpen) {
    console.log(`  Open it to your network:  npm start -- --host 0.0.0.0`);
  }
  console.log(
    `  Add a Node worker:        npm run worker -- --master ws://${urlHost(addresses.at(-1) ?? host)}:${port}`,
  );
}

function explain(error: unknown): string {
  const { code, message, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${address} is in use. Choose another: npm start -- --port ${(port ?? 0) + 1}`;
    case 'EACCES':
      return `Port ${port} of ${address} may not be used by you. Choose one above 1023 with --port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${address ?? ''}. Choose another with --host.`;
    case 'ENOENT':
      return `The page is not built: ${message}`;
    default:
      return error instanceof UsageError ? message : error instanceof Error ? (error.stack ?? message) : String(error);
  }
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownAddress(host: string): string {
  return isAnyAddress(host) ? '127.0.0.1' : host;
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function lanAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
