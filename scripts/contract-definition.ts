import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Contract } from '../pipelines/contracts/contract.ts';
import { type Definition, parseDefinition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { parseContract } from '../pipelines/contracts/parse-contract.ts';
import { CANONICAL_COLUMNS, OPTIONAL_COLUMNS } from '../pipelines/contracts/source.ts';
import { type DefinitionFolders, loadDefinition } from '../store/definitions.ts';

interface ContractText {
  text: string;
  /** For messages. */
  name: string;
}

/** @throws PipelineError INPUT_INVALID when the file cannot be read */
export async function readContractFile(path: string): Promise<ContractText> {
  try {
    return { text: await readFile(path, 'utf8'), name: basename(path) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'there is no such file' : message;
    throw new PipelineError('INPUT_INVALID', `contract ${path} cannot be read: ${found}`, {}, { cause });
  }
}

/**
 * The definition that an extract is held against: a pipeline's, with another contract where a file is given; of a
 * contract alone one whose source has the columns that the contract says (`physicalName`).
 */
export async function definitionFor(
  { pipeline, contract, invokedFrom }: { pipeline?: string; contract?: string; invokedFrom: string },
  folders: DefinitionFolders,
): Promise<Definition> {
  const file = contract === undefined ? undefined : await readContractFile(resolve(invokedFrom, contract));
  if (pipeline !== undefined || file === undefined) {
    const { definition } = await loadDefinition(folders, pipeline ?? 'shop');
    if (file === undefined) return definition;
    return {
      ...definition,
      contract: parseContract(file.text, { file: file.name, source: definition.source }),
    };
  }
  const parsed = parseContract(file.text, { file: file.name });
  return parseDefinition('contract', { pipeline: JSON.stringify(madePipeline(parsed)), contract: file.text });
}

/** What no check of an extract looks at is made up: features, names, currency. */
function madePipeline(contract: Contract): object {
  const canonical = { ...CANONICAL_COLUMNS, ...OPTIONAL_COLUMNS, amount: '' };
  const named = (contract.columns ?? []).map(({ name, source, type }) => ({
    name,
    column: source ?? name,
    type,
  }));
  const isCanonical = ({ name }: { name: string }) => Object.hasOwn(canonical, name);
  const columns = named.filter(isCanonical).map(({ name, column }) => [name, column]);
  const attributes = named
    .filter((column) => !isCanonical(column))
    .map(({ name, column, type }) => [name, { column, ...(type && { type: ATTRIBUTE_TYPE[type] }) }]);
  const needed = Object.keys(CANONICAL_COLUMNS)
    .filter((name) => name !== 'order_id' && !columns.some(([column]) => column === name))
    .map((name) => [name, name]);
  return {
    ...{
      pipeline: 'contract',
      version: 1,
      title: 'A contract',
      description: 'Of a contract alone',
      // ISO 4217: no currency is involved.
      currency: 'XXX',
    },
    source: {
      kind: 'file',
      columns: Object.fromEntries([...columns, ...needed]),
      ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
    },
    features: {
      aggregate: [{ name: 'lines', unit: 'lines', why: 'of a contract alone', sql: 'count(*)' }],
      cluster: [{ feature: 'lines' }],
    },
    naming: {
      stage: { feature: 'lines', bands: [{ word: 'Any' }] },
      value: { feature: 'lines', bands: [{ word: 'any' }] },
    },
  };
}

const ATTRIBUTE_TYPE: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'number',
  number: 'number',
  timestamp: 'time',
  date: 'time',
  boolean: 'boolean',
};
