import { setDefaultSignalHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../pipelines/contracts/policies.ts';

// What the boards of all workflows have in common.

const UNKNOWN_SIGNALS_KEPT = 20;

/** A misspelt signal would vanish without a word: the first are kept by name. */
export function keepUnknownSignals(
  progress: { unknownSignals: string[] },
  say: (change: { unknownSignals: string[] }) => void,
): void {
  setDefaultSignalHandler((name) => {
    const { unknownSignals } = progress;
    if (unknownSignals.length < UNKNOWN_SIGNALS_KEPT) say({ unknownSignals: [...unknownSignals, name] });
  });
}

/** Lines at the end of a board; none without such signals. */
export function unknownSignalLines(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  return ['', `Signals that no one answers to: ${names.map((name) => `\`${name}\``).join(', ')}`];
}

type AttributeUpdates = Extract<Parameters<typeof upsertSearchAttributes>[0], unknown[]>;
export type AttributeName = keyof typeof SEARCH_ATTRIBUTES;
export type AttributeValue = string | number | Date | null;

/** In one command. */
export function attributes(values: Partial<Record<AttributeName, AttributeValue>>): void {
  const updates = Object.entries(values).map(([name, value]) => ({
    key: { name, type: SEARCH_ATTRIBUTES[name as AttributeName] },
    value,
  }));
  upsertSearchAttributes(updates as AttributeUpdates);
}

export function attribute(name: AttributeName, value: AttributeValue): void {
  attributes({ [name]: value });
}

/** Of a workflow, as the Temporal UI follows it. */
export function link(workflowId: string): string {
  const { namespace } = workflowInfo();
  return `[${workflowId}](/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)})`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
