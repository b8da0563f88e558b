import { PAGE_STYLE } from './profile/style.ts';

/** The profile page's style, with a colour for each candidate or segment: Okabe and Ito's first. */
export const COMPARE_STYLE = `${PAGE_STYLE}
:root { --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #b07d00; --c5: #56b4e9; --c6: #7a5195; --c7: #5b6577; --c8: #a63603; --c9: #2f6b3a;
  --good: #00795a; --bad: #b3440a; --null: #8b95a7; }
@media (prefers-color-scheme: dark) { :root { --c0: #56b4e9; --c1: #e69f00; --c2: #2fc99b; --c3: #e8a2c8; --c4: #f0e442; --c5: #8fb8ff; --c6: #b99ae0; --c7: #9aa5b8; --c8: #ff8a5c; --c9: #7ed08c;
  --good: #3fd0a4; --bad: #ff9a5c; --null: #7b869a; } }
main { max-width: 1080px; }
.headline { font-size: 20px; line-height: 1.4; border-left: 5px solid var(--good); padding: 10px 16px; background: var(--card); border-radius: 0 10px 10px 0; margin: 20px 0 8px; }
.headline.none { border-color: var(--bad); }
.headline .verdict { display: block; font-size: 13px; letter-spacing: .04em; text-transform: uppercase; color: var(--good); font-weight: 600; }
.headline.none .verdict { color: var(--bad); }
.reasons { margin: 8px 0 0; padding-left: 20px; }
.reasons li { margin: 3px 0; }
.why { color: var(--soft); max-width: 78ch; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 20px; align-items: start; }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 16px; }
.scroll { overflow-x: auto; }
.board { font-size: 13.5px; }
.board td, .board th { padding: 7px 5px; white-space: nowrap; vertical-align: middle; }
.board tr.first { background: var(--card); font-weight: 600; }
.board tr.yardstick td { color: var(--soft); }
.board svg { margin: 0; width: 130px; }
.yes { color: var(--good); font-weight: 600; }
.no { color: var(--bad); font-weight: 600; }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; margin: 6px 0; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.key i.null { background: var(--null); opacity: .5; }
.null-band { fill: var(--null); fill-opacity: .28; stroke: none; }
.null-line { fill: none; stroke: var(--null); stroke-width: 1.5; stroke-dasharray: 4 3; }
.needed { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 3; }
.range { stroke: var(--null); stroke-width: 1; }
.noise { fill: none; stroke: var(--null); stroke-dasharray: 3 3; }
.noise-dot { fill: var(--null); }
.null-tick { stroke: var(--ink); stroke-width: 2; }
.bold { font-weight: 600; }
.on-dark text { fill: var(--paper); }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; vertical-align: -1px; }
.cards.candidates { grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); align-items: start; }
.cards.candidates .card { display: block; }
.cards.candidates h3 { margin: 0 0 4px; }
.cards.candidates ul { margin: 4px 0; padding: 0; list-style: none; font-size: 13.5px; }
.cards.candidates li { padding-left: 20px; text-indent: -20px; margin: 3px 0; }
.cards.candidates li::before { display: inline-block; width: 20px; text-indent: 0; font-weight: 700; }
.pro::before { content: '+'; color: var(--good); }
.con::before { content: '−'; color: var(--bad); }
.meter { width: 120px; }
summary { cursor: pointer; color: var(--soft); }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid; } .scroll { overflow: visible; } body { font-size: 12px; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;
