/** What a report adds to the style of the explainer's page. */
export const reportStyle = `
main { padding-bottom: 3rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; }
.chart, .shown { background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; padding: .9rem; }
figcaption { font-size: .85rem; font-weight: 600; margin-bottom: .5rem; overflow-wrap: anywhere; }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .2rem .5rem; color: var(--soft); font-size: .75rem; }
.plot svg { width: 100%; height: 11rem; background: var(--paper); border-radius: .3rem; overflow: visible; }
.plot .ys { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
.plot .xs { grid-column: 2; display: flex; justify-content: space-between; }
.line { fill: none !important; stroke: currentColor; stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.line.round1 { stroke-dasharray: 7 4; }
.line.round2 { stroke-dasharray: 2 3; }
.chart .legend .round1, .chart .legend .round2 { box-sizing: border-box; background: none; border: .16rem solid currentColor; }
.chart .legend .round2 { border-radius: 0; }
.mark { fill: none; stroke: currentColor; stroke-width: 7; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.chart .legend { margin: .6rem 0 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.pair img { width: 100%; height: auto; display: block; border-radius: .3rem; }
.pair span { font-size: .75rem; color: var(--soft); }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; padding: .9rem; }
.wide table { border-collapse: collapse; font-size: .85rem; width: auto; }
.wide th, .wide td { padding: .25rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
.wide th:first-child { text-align: left; font-weight: 600; }
.wide tr:last-child > * { border-bottom: 0; }
.wide td.cell { min-width: 2.6rem; background: color-mix(in srgb, var(--h0) calc(var(--part) * .8), transparent); border: 1px solid var(--paper); text-align: center; }
.wide td.expert { color: var(--ink); background: color-mix(in srgb, currentColor 0%, transparent); text-align: center; }
.wide td.expert span { display: inline-block; min-width: 1.5rem; border-radius: .3rem; color: #fff; padding: 0 .3rem; }
.turned { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden; text-overflow: ellipsis; }
.dots { position: relative; height: 1.2rem; min-width: 12rem; background: var(--paper); border-radius: .3rem; }
.dots span { position: absolute; top: .3rem; left: calc(var(--part) * .94 + 1%); width: .6rem; height: .6rem; border-radius: 50%; background: var(--h0); opacity: .75; }
dl.settings { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: .2rem 1.5rem; font-size: .85rem; margin: 0; }
dl.settings div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--rule); min-width: 0; }
dl.settings dt { color: var(--soft); }
dl.settings dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  main, header > div, footer { padding-inline: 1rem; }
  h1 { font-size: 1.7rem; }
  header { position: static; }
  .cards { grid-template-columns: 1fr 1fr; }
  .cards .value { font-size: 1.25rem; }
}
`;
