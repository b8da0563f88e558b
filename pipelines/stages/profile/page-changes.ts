import type { ProfileChanges } from './compare-profiles.ts';
import { chip } from './page-issues.ts';
import { escapeHtml } from './plots.ts';

export function changesSection({ since, missing, findings }: ProfileChanges): string {
  const run = `run ${escapeHtml(since.runId)}${since.asOf ? `, as of ${escapeHtml(since.asOf)}` : ''}`;
  if (missing !== null)
    return `<p>This extract was not compared with the one of ${run}: ${escapeHtml(missing)}.</p>`;
  if (findings.length === 0)
    return `<p>Since ${run}, the last that was published, nothing that matters has changed.</p>`;
  const rows = findings.map(
    ({ severity, where, what }) =>
      `<tr><td>${chip(severity)}</td><td class="name">${escapeHtml(where ?? 'extract')}</td><td>${escapeHtml(what)}</td></tr>`,
  );
  return `<p class="soft">Since ${run}, the last that was published; worst first.</p>
<div class="scroll"><table><thead><tr><th></th><th>Where</th><th>What</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}
