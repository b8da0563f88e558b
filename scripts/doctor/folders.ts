import { constants, existsSync, readFileSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { innermostMessage } from '../error-text.ts';
import type { Finding, Probe } from './finding.ts';

const GIGABYTE = 2 ** 30;
/** The artifacts of a run of a million customers take about half of one. */
const ENOUGH_GB = 5;
/** Runs fail below. */
const LEAST_GB = 0.5;

type Found = Omit<Finding, 'area'>;

export function artifactsProbe({ artifacts }: Pick<Config, 'artifacts'>): Probe {
  const wayOut = ['choose another folder with STRATA_ARTIFACTS, the same for every worker'];
  return { area: 'artifacts', wayOut, look: () => folder(artifacts, wayOut) };
}

export function homeProbe({ home }: Pick<Config, 'home'>): Probe {
  const wayOut = ['choose another folder with STRATA_HOME'];
  return {
    area: 'home',
    wayOut,
    async look() {
      const found = await folder(home, wayOut);
      const data = dataElsewhere(home);
      return data === null ? found : [...found, ...(await folder(data, wayOut, 'database files in '))];
    },
  };
}

/** PostgreSQL's data lies outside of a home that its user cannot enter. */
function dataElsewhere(home: string): string | null {
  const file = join(home, 'postgres', 'location.json');
  if (!existsSync(file)) return null;
  const { data } = JSON.parse(readFileSync(file, 'utf8')) as { data?: string };
  return data && existsSync(data) ? data : null;
}

/** Whether it can be written to, or made, and how much room there is. Nothing is written to find out. */
async function folder(path: string, wayOut: string[], what = ''): Promise<Found[]> {
  const there = nearest(path);
  if (!(await stat(there)).isDirectory())
    return [{ state: 'broken', says: `${what}${path} cannot be a folder: ${there} is a file`, wayOut }];
  const fault = what === '' ? await refusal(there) : null;
  if (fault !== null) return [{ state: 'broken', says: `${path} cannot be written to: ${fault}`, wayOut }];
  const { bavail, bsize } = await statfs(there);
  const freeGb = (bavail * bsize) / GIGABYTE;
  const isNew = there === path ? '' : ', made at the first start';
  const says = `${what}${path}, ${freeGb.toFixed(1)} GB free${isNew}`;
  if (freeGb < LEAST_GB) return [{ state: 'broken', says, wayOut: ['make room there', ...wayOut] }];
  return [
    freeGb < ENOUGH_GB ? { state: 'warning', says, wayOut: ['make room there'] } : { state: 'ok', says },
  ];
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function refusal(path: string): Promise<string | null> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => null,
    (error: unknown) => innermostMessage(error),
  );
}
