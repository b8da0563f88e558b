import colors from 'picocolors';
import type { Difference, ReproductionSummary } from '../pipelines/contracts/reproduce.ts';
import { formatDuration } from './log.ts';
import { counted, dot, links, table } from './terminal.ts';

const DIGEST = /^[0-9a-f]{64}$/;
const SHORT = 12;
const MISSING = '–';
const WIDEST = 40;

/** What a person reads when a reproduction has ended: whether it is the same, stage by stage, what is not, and why. */
export function reproductionReport(summary: ReproductionSummary, places: Record<string, string>): string {
  const { runId, pipeline, asOf, stages, differences, reasons, notes } = summary;
  const about = `${colors.bold(runId)} of ${pipeline}${asOf ? ` as of ${asOf}` : ''}`;
  const lines = [`${verdictOf(summary)}  ${about}`, ...reasons.map((reason) => `  ${dot} ${reason}`)];
  if (stages.length > 0) {
    const cells = stages.map(({ stage, compared, differing, ms }) => [
      `${differing === 0 ? '✓' : '✗'} ${stage}`,
      String(compared),
      differing === 0 ? '' : String(differing),
      formatDuration(ms),
    ]);
    lines.push('', table(['stage', 'digests', 'differ', 'took'], cells, [1, 2, 3]));
  }
  if (differences.length > 0) {
    const cells = differences.map((one) => [`${one.stage}`, one.product, shown(one.before), shown(one.now)]);
    lines.push('', table(['stage', 'product', 'then', 'now'], cells), '', ...causes(differences));
  }
  lines.push(...notes.map((note) => `  ${dot} ${note}`), '', ...codeLine(summary), ...links(places));
  return lines.join('\n');
}

/** What the board says of a stage, without its markup and without the stage's name. */
export function plainWords(says: string, stage: string): string {
  return says.replace(/^[✓✗] /, '').replace(`**${stage}** `, '');
}

function verdictOf({ verdict, stages, differences }: ReproductionSummary): string {
  const compared = stages.reduce((sum, one) => sum + one.compared, 0);
  if (verdict === 'reproduced') return colors.green(`✓ reproduced, ${counted(compared, 'digest')} the same`);
  if (verdict === 'differs') return colors.red(`✗ differs in ${counted(differences.length, 'place')}`);
  return colors.red('✗ cannot be reproduced');
}

/** Each cause once, under what it explains. */
function causes(differences: readonly Difference[]): string[] {
  return differences
    .filter(({ why, where }) => why !== null || where.length > 0)
    .map(({ stage, product, why, where }) => {
      const told = [...where, ...(why === null ? [] : [why])].join('; ');
      return `  ${dot} ${stage} ${product}: ${told}`;
    });
}

function shown(value: string | null): string {
  if (value === null) return MISSING;
  if (DIGEST.test(value)) return `${value.slice(0, SHORT)}…`;
  return value.length > WIDEST ? `${value.slice(0, WIDEST - 1)}…` : value;
}

function codeLine({ code }: ReproductionSummary): string[] {
  if (code === null) return [];
  const [before, now] = [code.before.slice(0, SHORT), code.now.slice(0, SHORT)];
  const said = code.before === code.now ? `${now}, the same as then` : `${now}, then ${before}`;
  return [`${colors.dim('code version')}  ${said}`];
}
