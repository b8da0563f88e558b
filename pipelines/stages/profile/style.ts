/** Okabe and Ito's colours: apart for all kinds of colour vision, in light and in dark. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2433; --soft: #5b6577; --line: #e3e7ee; --shade: #c3cad6; --card: #f8f9fb;
  --accepted: #0072b2; --refused: #d55e00; --money: #b07d00; --figure: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e6eaf2; --soft: #9aa5b8; --line: #2b3240; --shade: #3d4759; --card: #1b212b;
  --accepted: #56b4e9; --refused: #e69f00; --money: #f0e442; --figure: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 16px 0 4px; }
p { margin: 4px 0; }
header p, .soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 20px; }
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
/* A shade at the side on which a table goes on. */
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--paper), transparent) 0 0 / 32px 100% no-repeat local,
  linear-gradient(to left, var(--paper), transparent) 100% 0 / 32px 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) 0 0 / 14px 100% no-repeat,
  linear-gradient(to left, var(--shade), transparent) 100% 0 / 14px 100% no-repeat; }
.quantiles { font-size: 12px; margin-top: 8px; font-variant-numeric: tabular-nums; }
.quantiles th, .quantiles td { padding: 3px 2px; text-align: right; border: 0; }
`;

/** The profile page's own. Folded parts are printed open, on white paper, each figure whole on its page. */
export const PROFILE_STYLE = `${PAGE_STYLE}
:root { --serious: #b3300a; --look: #8a6100; --note: #5b6577; --good: #00795a; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --serious: #ff9a70; --look: #f0c344; --note: #9aa5b8; --good: #3fd0a4; --on: #14181f; } }
main { max-width: 1040px; }
.cards strong { font-size: 16px; }
.cards .card { padding: 12px 14px; }
a { color: var(--accepted); }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 24px 0 0; padding: 10px 16px; background: var(--card); border-radius: 10px; font-size: 14px; }
nav a { text-decoration: none; }
section { scroll-margin-top: 12px; }
.scroll table { min-width: 520px; }
.two > * { min-width: 0; overflow-x: auto; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); gap: 8px 28px; align-items: start; }
.two ul { padding-left: 20px; margin: 4px 0; }
.name { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
td.name { overflow-wrap: normal; }
.wide { overflow-x: auto; }
.wide svg { min-width: 600px; }
.chip { display: inline-block; font-size: 12px; line-height: 18px; padding: 0 8px; border-radius: 9px; border: 1px solid currentColor; white-space: nowrap; }
.chip.serious { color: var(--on); background: var(--serious); border-color: var(--serious); }
.chip.look { color: var(--look); }
.chip.note { color: var(--note); }
.issue { border-left: 4px solid var(--line); padding: 8px 14px; margin: 10px 0; background: var(--card); border-radius: 0 8px 8px 0; }
.issue.serious { border-color: var(--serious); }
.issue.look { border-color: var(--look); }
.issue p { overflow-wrap: anywhere; }
.issue .head { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
.proposal code, .card code { background: var(--paper); border: 1px solid var(--line); border-radius: 4px; padding: 1px 5px; font-size: 12.5px; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--accepted); padding: 4px 0; }
.column > summary { color: var(--ink); }
.overview td { vertical-align: middle; }
.overview .spark { width: 124px; padding: 2px 0; }
.overview .spark svg { margin: 0; width: 120px; height: 26px; }
.overview .some { color: var(--refused); background: none; }
.columns { margin-top: 16px; }
.card svg text.soft { font-size: 11px; }
.scroll table.quantiles { min-width: 0; }
.columns .card { padding: 8px 14px; }
.map svg { width: auto; max-width: none; }
svg text.on { fill: var(--on); font-weight: 600; }
.features { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(460px, 100%), 1fr)); gap: 12px; margin: 12px 0; align-items: start; }
.feature h3 { margin: 0; font-family: ui-monospace, monospace; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 12px; color: var(--soft); }
.yes { color: var(--good); font-weight: 600; }
.no { color: var(--serious); font-weight: 600; }
@media (max-width: 520px) { main { padding: 20px 14px 40px; } h1 { font-size: 22px; } .cards { grid-template-columns: 1fr 1fr; } }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --card: #fff; --accepted: #0072b2; --refused: #d55e00; --money: #b07d00; --figure: #0072b2;
    --serious: #b3300a; --look: #8a6100; --note: #444; --good: #00795a; --on: #fff; }
  @page { margin: 14mm; }
  body { font-size: 11px; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  h2, h3, summary { break-after: avoid; }
  svg, tr, .card, .issue, figure { break-inside: avoid; }
  .columns, .features { display: block; columns: 2; column-gap: 12px; }
  .columns > *, .features > * { margin: 0 0 10px; }
  .two { grid-template-columns: 1fr 1fr; }
  .cards { grid-template-columns: repeat(3, 1fr); }
  table, .proposal code, .card code, .cards .soft, .card .soft { font-size: 10.5px; }
  .scroll, .wide { overflow: visible; background: none; }
  .wide svg { min-width: 0; }
  .scroll table { min-width: 0; }
  .map svg { width: 100%; height: auto; max-width: 100%; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
