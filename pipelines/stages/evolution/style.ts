import { COMPARE_STYLE } from '../compare-style.ts';

/** The style of comparisons, with colours for more segments, and for customers who are new or lost. */
export const EVOLUTION_STYLE = `${COMPARE_STYLE}
:root { --c7: #8c564b; --c10: #00a3a3; --c11: #c2185b; --new: #a9b4c4; --lost: #4a5363; --behaviour: #0072b2; --model: #d55e00; --border: #e3bf5a; }
@media (prefers-color-scheme: dark) { :root { --c7: #d3a08f; --c10: #4dd6d6; --c11: #ff7aa8; --new: #4d5a6e; --lost: #b8c2d2; --behaviour: #56b4e9; --model: #e69f00; --border: #8f7a38; } }
main { max-width: 1180px; }
header p { max-width: 78ch; }
ol.told { margin: 12px 0 0; padding-left: 26px; font-size: 16.5px; line-height: 1.5; max-width: 84ch; }
ol.told li { margin: 8px 0; padding-left: 4px; }
ol.told li::marker { color: var(--soft); font-weight: 600; }
ul.told { margin: 6px 0 0; padding-left: 20px; max-width: 84ch; }
ul.told li { margin: 4px 0; }
.doubts { border-left: 5px solid var(--bad); background: var(--card); border-radius: 0 10px 10px 0; padding: 10px 16px; margin: 20px 0 8px; }
.doubts strong { color: var(--bad); }
.doubts ul { margin: 4px 0 0; padding-left: 20px; }
.scroll svg { width: auto; max-width: none; }
.spark { width: 120px; padding: 4px 8px; }
.spark svg { margin: 0; }
.badge { display: inline-block; border: 1px solid var(--bad); color: var(--bad); border-radius: 9px; font-size: 11.5px; padding: 0 7px; margin-left: 6px; white-space: nowrap; }
.verdict-stable { color: var(--good); font-weight: 600; }
.verdict-drifted { color: var(--money); font-weight: 600; }
.verdict-unstable { color: var(--bad); font-weight: 600; }
.flow { fill-opacity: .34; }
.flow:hover { fill-opacity: .7; }
.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
.life { stroke-width: 5; stroke-linecap: round; }
.edge { fill: none; stroke-width: 2.5; stroke-dasharray: 5 3; }
.hollow { fill: var(--paper); stroke-width: 2.5; }
.step { stroke: var(--line); stroke-width: 1; }
.matrix td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; border: 2px solid var(--paper); padding: 6px 9px; }
.matrix th { vertical-align: bottom; }
.matrix tbody th { vertical-align: top; }
.matrix th.way { font-weight: 500; color: var(--ink); min-width: 150px; }
.matrix th.to { max-width: 112px; font-weight: 500; font-size: 12.5px; text-align: right; }
.matrix td small { display: block; color: var(--soft); font-size: 11.5px; }
.matrix td.none { color: var(--soft); }
.scroll table.even th, .scroll table.even td { white-space: nowrap; }
.scroll table td.text { white-space: normal; min-width: 200px; }
.two-by-two { border-collapse: separate; border-spacing: 8px; max-width: 760px; }
.two-by-two td { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.two-by-two td.arrow { background: none; border: 0; text-align: center; color: var(--soft); font-size: 13px; }
.two-by-two { min-width: 560px; }
.two-by-two strong { display: block; font-size: 17px; color: var(--ink); }
.stack { display: block; height: 10px; border-radius: 3px; overflow: hidden; min-width: 90px; }
.changes dt { font-weight: 600; margin-top: 10px; }
.changes dd { margin: 2px 0 0 20px; }
@media print { .scroll svg { width: 100%; height: auto; max-width: 100%; } }
`;

const COLOURS = 12;

/** Colour of the segment that came as number i; they repeat after twelve. */
export function segmentColour(i: number): string {
  return `var(--c${i % COLOURS})`;
}
