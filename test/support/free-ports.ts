import { createServer } from 'node:net';

/**
 * Ports are given out below the kernel's ephemeral range, where no outgoing connection takes one between the moment it is
 * found free and the moment it is bound; and each process starts somewhere else.
 */
const FIRST = 10_000;
const COUNT = 22_000;
const PER_PROCESS = 64;
let next = (process.pid * PER_PROCESS) % COUNT;

/** `count` distinct ports of 127.0.0.1 that are free and that this process has not given out for long. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === COUNT) throw new Error(`no ${count} free ports from ${FIRST} on`);
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
