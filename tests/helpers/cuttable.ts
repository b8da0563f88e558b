import { connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from '../../scripts/services/ports.ts';

/** A way to a database that can be cut and mended, while the database and everyone else's way go on. */
export interface Cuttable {
  url: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

export async function cuttable(databaseUrl: string): Promise<Cuttable> {
  const there = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const open = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer((near) => {
        const far = connect({ host: there.hostname, port: Number(there.port) });
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(from);
          from.pipe(to);
          from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
        }
      });
      server.once('error', reject).listen({ host: LOOPBACK, port }, () => resolve(server));
    });
  let server = await open(0);
  const { port } = server.address() as { port: number };
  const url = new URL(databaseUrl);
  url.host = `${LOOPBACK}:${port}`;
  return {
    url: url.href,
    cut: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
    async mend() {
      server = await open(port);
    },
  };
}
