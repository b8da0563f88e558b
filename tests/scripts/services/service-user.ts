/** A process that uses the services of a home until it gets SIGTERM: node --import tsx service-user.ts HOME */
import { createLog } from '../../../scripts/log.ts';
import { startServices } from '../../../scripts/services/index.ts';

const home = process.argv[2];
if (home === undefined) throw new Error('needs a home folder');
const services = await startServices({ home, log: createLog() });
const stayAlive = setInterval(() => {}, 1_000);
process.once('SIGTERM', async () => {
  await services.stop();
  clearInterval(stayAlive);
});
console.log('ready');
