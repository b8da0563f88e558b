import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK } from '../../scripts/services/ports.ts';

/** The way to a server, which can be cut as a network cuts it: without a word to either side. */
export interface Line {
  readonly port: number;
  /** Drops every connection, and each new one until the time is over. */
  cut(forMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function openLine(toPort: number): Promise<Line> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((near) => {
    if (cuts > 0) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: LOOPBACK, port: toPort });
    keep(near, far);
    keep(far, near);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen({ host: LOOPBACK, port: 0 });
  await once(server, 'listening');
  const drop = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    async cut(forMs) {
      cuts += 1;
      drop();
      await sleep(forMs);
      cuts -= 1;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    },
  };
}
