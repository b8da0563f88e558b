import { connect, createServer } from 'node:net';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

/** All that Strata starts listens here only, and is reached here: `localhost` may mean ::1, a stranger. */
export const LOOPBACK = '127.0.0.1';

/** Neighbours of the preferred port are tried before any port will do: a person can still guess them. */
const NEIGHBOURS = 20;

/**
 * The preferred port when it is free, else one near it, else any free one. Somebody may take it before it
 * is used: the caller tries again then.
 *
 * @throws PipelineError PORT_UNAVAILABLE
 */
export async function choosePort(preferred: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let port = preferred; port < preferred + NEIGHBOURS; port++) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  const port = await listenBriefly(0);
  if (port === undefined) {
    throw new PipelineError(
      'PORT_UNAVAILABLE',
      `no free port on ${LOOPBACK}, wanted ${preferred} or another`,
      {
        preferred,
      },
    );
  }
  return port;
}

/** Whether a server could listen on this port of the loopback address now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listenBriefly(port)) !== undefined;
}

/** Whether anything accepts connections on this port now; who it is must be asked. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

function listenBriefly(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}
