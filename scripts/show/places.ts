import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { RunFacts } from './facts.ts';
import type { Sight } from './sight.ts';

/** Where a run is found, its history and what it left; what it let go of is left out. */
export function placesOf(
  { workflow, record, stages, temporal }: RunFacts,
  { artifacts }: Pick<Config, 'artifacts'>,
  sight: Pick<Sight, 'temporal'>,
): Record<string, string> {
  const kept = {
    history: record?.history,
    profile: stages.find(({ stage }) => stage === 'profile')?.artifact,
    'what was refused': stages.find(({ stage }) => stage === 'validate')?.artifact,
    manifest: record?.manifest,
  };
  const files = Object.entries(kept).flatMap(([what, ref]) => {
    const file = ref && join(artifacts, ref.uri);
    return file && existsSync(file) ? [[what, file] as const] : [];
  });
  // What it has forgotten it has no page of.
  const address =
    sight.temporal !== null && temporal === 'answers'
      ? sight.temporal.addressOf(workflow)
      : `workflow ${workflow.id}, run ${workflow.runId}`;
  return { run: address, ...Object.fromEntries(files) };
}
