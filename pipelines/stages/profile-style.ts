/** Okabe and Ito's colours: apart for all kinds of colour vision, in light and in dark. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2433; --soft: #5b6577; --line: #e3e7ee; --card: #f8f9fb;
  --accepted: #0072b2; --refused: #d55e00; --money: #b07d00; --figure: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e6eaf2; --soft: #9aa5b8; --line: #2b3240; --card: #1b212b;
  --accepted: #56b4e9; --refused: #e69f00; --money: #f0e442; --figure: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 16px 0 4px; }
p { margin: 4px 0; }
header p, .soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin-top: 20px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; min-width: 0; }
.cards .card { display: flex; flex-direction: column; }
.cards strong { font-size: 18px; white-space: nowrap; }
.cards .soft, .card .soft { font-size: 13px; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(440px, 100%), 1fr)); gap: 12px; }
.columns.facts { grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); margin-bottom: 12px; }
.columns { align-items: start; }
.columns h3 { margin: 0; font-family: ui-monospace, monospace; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
svg text.soft { fill: var(--soft); }
.grid { stroke: var(--line); }
.accepted { fill: var(--accepted); background: var(--accepted); }
.refused { fill: var(--refused); background: var(--refused); }
.money { fill: var(--money); background: var(--money); }
.figure { fill: var(--figure); background: var(--figure); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin: 0 6px 0 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 6px 8px; vertical-align: top; border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.none { color: var(--soft); }
.meter { width: 110px; }
.meter span { display: block; height: 10px; margin-top: 5px; border-radius: 2px; }
.quantiles { font-size: 12px; margin-top: 8px; font-variant-numeric: tabular-nums; }
.quantiles th, .quantiles td { padding: 3px 2px; text-align: right; border: 0; }
`;
