import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { LOOPBACK } from '../../scripts/services/ports.ts';

export interface SilentServer {
  url: string;
  /** Of whoever came. */
  sockets: readonly Socket[];
  close(): void;
}

/** Takes connections and never answers. */
export async function startSilentServer(): Promise<SilentServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await once(server.listen(0, LOOPBACK), 'listening');
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    sockets,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
