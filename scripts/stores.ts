import type { ActivityContext } from '../activities/context.ts';
import { ClosingStack } from './closing-stack.ts';
import type { Config } from './config.ts';
import { createLog } from './log.ts';

/** PostgreSQL and the artifacts, for as long as the work takes. */
export async function withStores<R>(
  config: Config,
  signal: AbortSignal,
  work: (context: ActivityContext) => Promise<R>,
): Promise<R> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { startServices } = await import('./services/index.ts');
  const { joinParts } = await import('./parts.ts');
  const stack = new ClosingStack();
  try {
    const log = createLog({ level: config.logLevel });
    const services = await startServices({ home: config.home, log, only: ['postgres'], signal });
    stack.defer(() => services.stop());
    const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
    stack.defer(() => parts.close());
    return await work(parts.context);
  } finally {
    await stack.close();
  }
}
