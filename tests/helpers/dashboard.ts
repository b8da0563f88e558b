import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_FOLDER } from '../../scripts/config.ts';

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  title: string;
  uid: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
}

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string };
}

const read = (file: string) => readFile(join(PROJECT_FOLDER, 'docs/dashboards', file), 'utf8');

export const readDashboard = async () => JSON.parse(await read('strata.json')) as Dashboard;

export const readAlertRules = async () =>
  (parse(await read('alerts.yaml')) as { groups: { rules: AlertRule[] }[] }).groups.flatMap(
    ({ rules }) => rules,
  );

/** Names of metrics in an expression: those of Strata, of Temporal's SDK and of the process. */
export const metricsIn = (expression: string): string[] =>
  expression.match(/\b(strata|temporal|nodejs|process)_[a-z0-9_]+/g) ?? [];

/** Of all panels, variables and alerts. */
export async function metricsAsked(): Promise<string[]> {
  const { panels, templating } = await readDashboard();
  const expressions = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ definition = '' }) => [definition]),
    ...(await readAlertRules()).map(({ expr }) => expr),
  ];
  return [...new Set(expressions.flatMap(metricsIn))];
}
