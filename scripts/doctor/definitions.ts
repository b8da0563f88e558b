import { listDefinitions, loadDefinition } from '../../store/definitions.ts';
import type { Config } from '../config.ts';
import { definitionFolders } from '../definition-folders.ts';
import { innermostMessage } from '../error-text.ts';
import type { Finding, Probe } from './finding.ts';

type Found = Omit<Finding, 'area'>;

/** Whether each pipeline is valid, and whether the addresses that it reads from the environment are there. */
export function definitionsProbe(config: Pick<Config, 'definitions' | 'tools'>): Probe {
  const wayOut = ['see STRATA_DEFINITIONS'];
  return {
    area: 'pipelines',
    wayOut,
    async look() {
      const folders = definitionFolders(config);
      const names = await listDefinitions(folders);
      const found = await Promise.all(names.map((name) => pipeline(name, { folders, config })));
      const valid = names.filter((_, i) => found[i]!.every(({ state }) => state !== 'broken'));
      const says = `${valid.join(', ')}: valid`;
      return [...(valid.length > 0 ? [{ state: 'ok' as const, says }] : []), ...found.flat()];
    },
  };
}

async function pipeline(
  name: string,
  { folders, config }: { folders: string[]; config: Pick<Config, 'tools'> },
): Promise<Found[]> {
  try {
    const { definition, folder, hides } = await loadDefinition(folders, name);
    const isSet = (variable: string) => Boolean(config.tools.secret(variable));
    const missing = [...variablesOf(definition)].filter((variable) => !isSet(variable));
    return [
      ...missing.map(
        (variable): Found => ({
          state: 'warning',
          says: `${name} reads ${variable}, which is not set here`,
          wayOut: ['set it where the worker runs'],
        }),
      ),
      ...(hides === null
        ? []
        : [{ state: 'warning' as const, says: `${name} of ${folder} is meant, not the one of ${hides}` }]),
    ];
  } catch (fault) {
    return [{ state: 'broken', says: innermostMessage(fault), wayOut: [`mend the files of ${name}`] }];
  }
}

/** The names of variables that a definition keeps its addresses in: `urlFrom`, `smtpFrom`. */
export function variablesOf(part: unknown, found = new Set<string>()): Set<string> {
  if (part === null || typeof part !== 'object') return found;
  for (const [key, value] of Object.entries(part)) {
    if (/[a-z]From$/.test(key) && typeof value === 'string' && /^[A-Z][A-Z0-9_]*$/.test(value))
      found.add(value);
    else variablesOf(value, found);
  }
  return found;
}
