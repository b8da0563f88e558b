import { resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { firstLine } from '../error-text.ts';
import { checkFolder, writeJson } from '../output-file.ts';
import type { Finding, Probe } from './finding.ts';

/** A server that hangs is a finding; so long it may take to be one. */
const PROBE_WITHIN_MS = 10_000;

/** `strata doctor`: what is there, what is missing, what to do. Starts nothing and leaves nothing behind. */
export function doctorCommand(setExitCode: (code: number) => void, withinMs = PROBE_WITHIN_MS): Command {
  return new Command('doctor')
    .description('looks at all that runs need: servers, workers, folders, pipelines, machine')
    .option('--json <file>', 'write what was found to this file, as JSON')
    .addHelpText(
      'after',
      '\n✓ works, ! works or will once something is started, ✗ is broken.\nEnds with 0 when nothing is broken, else with 1. Starts nothing.',
    )
    .allowExcessArguments(false)
    .action(async ({ json }: { json?: string }) => {
      const { doctorReport } = await import('./report.ts');
      const file = json && resolve(invokedFrom(), json);
      await checkFolder('--json', file);
      const findings = await examine(withinMs);
      const isBroken = findings.some(({ state }) => state === 'broken');
      console.log(doctorReport(findings));
      await writeJson('--json', file, { isBroken, findings });
      setExitCode(isBroken ? 1 : 0);
    });
}

/** All that is found, in the order of what depends on what. */
export async function examine(withinMs: number): Promise<Finding[]> {
  const { findingsOf } = await import('./finding.ts');
  const probes = await probesOf();
  return (await Promise.all(probes.map((probe) => findingsOf(probe, withinMs)))).flat();
}

async function probesOf(): Promise<Probe[]> {
  const { environmentProbe, kernelsProbe, machineProbe } = await import('./machine.ts');
  const config = configOrFault();
  const machine = [machineProbe(), kernelsProbe()];
  if (typeof config === 'string') return [environmentProbe(config), ...machine];
  const { definitionsProbe } = await import('./definitions.ts');
  const { bucketProbe } = await import('./bucket.ts');
  const { artifactsProbe, homeProbe } = await import('./folders.ts');
  const { postgresProbe } = await import('./postgres.ts');
  const { temporalProbe } = await import('./temporal.ts');
  return [
    environmentProbe(null),
    ...machine,
    homeProbe(config),
    config.s3 === null ? artifactsProbe(config) : bucketProbe(config.s3),
    postgresProbe(config),
    temporalProbe(config),
    definitionsProbe(config),
  ];
}

/** A variable that is wrong is what the doctor was called for. */
function configOrFault(): Config | string {
  try {
    return readConfig();
  } catch (fault) {
    return firstLine(fault);
  }
}

function invokedFrom(): string {
  const config = configOrFault();
  return typeof config === 'string' ? '.' : config.invokedFrom;
}
