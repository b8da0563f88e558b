import { availableParallelism, freemem, totalmem } from 'node:os';
import { areKernelsBuilt } from '../build-kernels.mjs';
import { VARIABLES_READ, variablesSet } from '../config.ts';
import type { Finding, Probe } from './finding.ts';

const GIGABYTE = 2 ** 30;
/** A million customers take two thirds of one, PostgreSQL and Temporal the rest. */
const ENOUGH_MEMORY_GB = 2;
const ENOUGH_FREE_GB = 1;
const OLDEST_NODE = [20, 19] as const;
/** For tests and those who build Strata. */
const NOT_FOR_OPERATORS = /^STRATA_(TEST_|REAL_DATA$|RECORD_HISTORIES$)/;

type Found = Omit<Finding, 'area'>;

export function machineProbe(): Probe {
  return { area: 'machine', wayOut: [], look: async () => [node(), memory()] };
}

function node(): Found {
  const { node: version } = process.versions;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const says = `Node ${version} on ${process.platform}-${process.arch}`;
  return isOld
    ? { state: 'broken', says, wayOut: [`install Node ${OLDEST_NODE.join('.')} or newer`] }
    : { state: 'ok', says };
}

/** What a container may use counts, not what its machine has. */
function memory(): Found {
  const limit = process.constrainedMemory?.() ?? 0;
  const totalGb = (limit > 0 && limit < totalmem() ? limit : totalmem()) / GIGABYTE;
  const freeGb = Math.min(totalGb, freemem() / GIGABYTE);
  const says = `${availableParallelism()} cores, ${totalGb.toFixed(1)} GB of memory`;
  if (totalGb < ENOUGH_MEMORY_GB)
    return { state: 'warning', says, wayOut: [`from ${ENOUGH_MEMORY_GB} GB on a million customers fit`] };
  // macOS counts as free only what nobody has used, even if it could be had at once.
  if (process.platform !== 'darwin' && freeGb < ENOUGH_FREE_GB)
    return {
      state: 'warning',
      says: `${says}, ${freeGb.toFixed(1)} GB free`,
      wayOut: ['end what else uses it'],
    };
  return { state: 'ok', says };
}

export function kernelsProbe(): Probe {
  return {
    area: 'kernels',
    wayOut: ['every npm script compiles them before it begins: npm run strata -- doctor'],
    async look() {
      return (await areKernelsBuilt())
        ? [{ state: 'ok', says: "compiled to WebAssembly, of today's sources" }]
        : [{ state: 'broken', says: 'not compiled, or of older sources', wayOut: this.wayOut }];
    },
  };
}

/** @param fault why the configuration cannot be read; null where it can */
export function environmentProbe(fault: string | null, set: readonly string[] = variablesSet()): Probe {
  return {
    area: 'environment',
    wayOut: [],
    async look() {
      const unknown = set.filter(
        (name) =>
          name.startsWith('STRATA_') && !VARIABLES_READ.includes(name) && !NOT_FOR_OPERATORS.test(name),
      );
      const known = set.filter((name) => !unknown.includes(name));
      return [
        {
          state: 'ok',
          says: known.length === 0 ? 'no variable is set: all by default' : `set: ${known.join(', ')}`,
        },
        ...unknown.map(
          (name): Found => ({
            state: 'warning',
            says: `${name} is set, and nobody reads it`,
            wayOut: [`there are ${VARIABLES_READ.join(', ')}`],
          }),
        ),
        ...(fault === null
          ? []
          : [{ state: 'broken' as const, says: fault, wayOut: ['what depends on it was not looked at'] }]),
      ];
    },
  };
}
