import colors from 'picocolors';
import type { Finding } from './finding.ts';

const SIGNS: Record<Finding['state'], string> = {
  ok: colors.green('✓'),
  warning: colors.yellow('!'),
  broken: colors.red('✗'),
};

/** A line for each finding under the name of its area, with what to do below it. */
export function doctorReport(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ area }) => area.length));
  const lines = findings.flatMap(({ area, state, says, wayOut = [] }, i) => {
    const isFirst = findings[i - 1]?.area !== area;
    const name = (isFirst ? area : '').padEnd(width);
    const indent = ' '.repeat(width + 4);
    return [`${colors.bold(name)}  ${SIGNS[state]} ${says}`, ...wayOut.map((line) => `${indent}→ ${line}`)];
  });
  return [...lines, '', conclusion(findings)].join('\n');
}

function conclusion(findings: readonly Finding[]): string {
  const [broken, warnings] = (['broken', 'warning'] as const).map(
    (state) => findings.filter((finding) => finding.state === state).length,
  ) as [number, number];
  const also = warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'thing' : 'things'} to know`;
  if (broken === 0) return `${SIGNS.ok} nothing is broken${also}`;
  return `${SIGNS.broken} ${broken} ${broken === 1 ? 'thing is' : 'things are'} broken${also}`;
}
