// Preloaded into the programs of the guide. They use the port that a master has by default, where others may listen while
// the tests run: whoever listens or connects there is led to a port that is free.

import net from 'node:net';
import process from 'node:process';

const NAMED = 9000;
const FREE = Number(process.env['TASKDIST_GUIDE_PORT']);

net.Server.prototype.listen = new Proxy(net.Server.prototype.listen, {
  apply: (listen, server, [port, ...others]) =>
    Reflect.apply(listen, server, [port === NAMED ? FREE : port, ...others]),
});

net.Socket.prototype.connect = new Proxy(net.Socket.prototype.connect, {
  apply(connect, socket, args) {
    // `net.connect` and `http` call it with what they have made of their own arguments: a list.
    const [options] = args.flat();
    if (Number(options?.port) === NAMED) options.port = FREE;
    return Reflect.apply(connect, socket, args);
  },
});
