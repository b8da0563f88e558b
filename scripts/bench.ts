import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_FOLDER } from './config.ts';

// Benchmarks are named after their files; each measures, prints, and decides nothing.
const [name, ...args] = process.argv.slice(2);
const folder = join(PROJECT_FOLDER, 'benchmarks');
const known = (await readdir(folder))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -9));
if (name === undefined || !known.includes(name)) {
  console.error(`npm run bench -- NAME needs one of ${known.join(', ')}, found ${name ?? 'no name'}`);
  process.exitCode = 1;
} else {
  const { bench } = (await import(pathToFileURL(join(folder, `${name}.bench.ts`)).href)) as {
    bench(args: string[]): Promise<void>;
  };
  await bench(args);
  // At once: a package that some of them load would end the process with 0 once there is nothing left to do.
  process.exit();
}
