/** How the page looks: one column of text, system fonts, light and dark. */

/** CSS. It refers to nothing outside the page. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf8, #16181c);
  --card: light-dark(#ffffff, #1e2126);
  --ink: light-dark(#1d2129, #e6e4df);
  --soft: light-dark(#6a7078, #9a9ea6);
  --rule: light-dark(#e3e0da, #31353d);
  --flow: light-dark(#b9b6ae, #4b515b);
  --accent: light-dark(#a8431f, #f0936b);
  --wash: light-dark(#f4ece2, #2b2521);
  --h0: light-dark(#3567b0, #6f9fe0);
  --h1: light-dark(#c8642a, #ee9a63);
  --h2: light-dark(#3b8757, #68bd87);
  --h3: light-dark(#8a55a6, #bb8bd6);
  --h4: light-dark(#b0862a, #ddb658);
  --h5: light-dark(#b5446c, #e77ea2);
  --h6: light-dark(#2f8b94, #62bfc8);
  --h7: light-dark(#80858d, #8f959e);
  --code: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace;
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; scroll-behavior: smooth; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header > div, footer { max-width: 86rem; margin: 0 auto; padding: 0 2rem; }
header {
  position: sticky; top: 0; z-index: 2;
  background: color-mix(in srgb, var(--paper) 92%, transparent);
  backdrop-filter: blur(8px);
  border-bottom: 1px solid var(--rule);
}
header > div { display: flex; align-items: baseline; gap: 1.4rem; padding-block: .7rem; }
header strong { font-size: 1.05rem; letter-spacing: -.01em; }
header nav { display: flex; gap: .3rem; flex: 1; flex-wrap: wrap; }
header nav a { padding: .1rem .75rem; border-radius: 1rem; color: var(--soft); text-decoration: none; }
header nav a:hover { color: var(--ink); }
header nav a[aria-current] { background: var(--ink); color: var(--paper); }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
#theme { color: var(--soft); }
#theme:hover, th button:hover { color: var(--accent); }
h1 { font: 600 2.3rem/1.15 ui-serif, Georgia, "Iowan Old Style", serif; letter-spacing: -.02em; margin: 2.6rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font: 600 1.35rem/1.3 ui-serif, Georgia, "Iowan Old Style", serif; letter-spacing: -.01em; margin: 3rem 0 .4rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .6rem; overflow-wrap: anywhere; }
p { margin: .3rem 0 1rem; max-width: 46rem; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
.quiet { color: var(--soft); }
.lead { font-size: 1.08rem; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.6rem 0 1rem; padding: 0; }
.cards > div { background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; padding: .85rem 1.05rem; }
.cards dt { color: var(--soft); font-size: .8rem; }
.cards dd { margin: .1rem 0 0; }
.cards .value { font-size: 1.6rem; font-weight: 600; letter-spacing: -.025em; line-height: 1.25; }
.cards .note { color: var(--soft); font-size: .8rem; line-height: 1.4; }
.meter { height: 5px; border-radius: 3px; background: var(--rule); overflow: hidden; margin-top: .45rem; }
.meter > span { display: block; height: 100%; width: var(--part); background: var(--h2); }
.shares { display: flex; height: 12px; border-radius: 6px; overflow: hidden; margin: 1.4rem 0 .5rem; gap: 1px; }
.shares > span { width: var(--part); background: currentColor; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: 0 0 1rem; font-size: .85rem; color: var(--soft); }
.legend li > span:first-child, .dot { display: inline-block; width: .62rem; height: .62rem; border-radius: 50%; background: currentColor; margin-right: .45rem; }
.h0 { color: var(--h0); fill: var(--h0); } .h1 { color: var(--h1); fill: var(--h1); }
.h2 { color: var(--h2); fill: var(--h2); } .h3 { color: var(--h3); fill: var(--h3); }
.h4 { color: var(--h4); fill: var(--h4); } .h5 { color: var(--h5); fill: var(--h5); }
.h6 { color: var(--h6); fill: var(--h6); } .h7 { color: var(--h7); fill: var(--h7); }
.panes { display: grid; grid-template-columns: fit-content(55%) minmax(0, 1fr); gap: 1rem; }
.pane { background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; padding: 1.1rem; overflow: auto; max-height: 44rem; }
.pane svg { display: block; margin: 0 auto; }
.block[hidden] { display: none; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .name { font-weight: 600; }
svg .words { fill: var(--soft); font-size: 11px; }
svg .faint { opacity: .85; font-size: 10.5px; }
svg .tick { text-anchor: middle; }
svg .box { fill: var(--paper); stroke: var(--rule); }
svg .end { fill: none; stroke: var(--rule); stroke-dasharray: 3 3; }
svg .flow { fill: none; stroke: var(--flow); stroke-linecap: round; }
svg .flow:hover { stroke: var(--accent); }
svg a.node { cursor: pointer; text-decoration: none; }
svg a.node:hover .box, svg a.node:focus-visible .box { stroke: var(--accent); }
svg a.node[aria-current] .box { stroke: var(--accent); stroke-width: 2; fill: var(--wash); }
svg .frame { fill: var(--paper); stroke: var(--rule); }
svg .tensor { fill-opacity: .72; stroke: var(--card); stroke-width: .6; }
svg .tensor:hover { fill-opacity: 1; }
svg .live { fill: var(--h0); fill-opacity: .25; stroke: var(--h0); }
svg .whole { stroke: var(--ink); }
svg .bound { stroke: var(--accent); stroke-dasharray: 5 4; stroke-width: 1.5; }
.scroll { overflow: auto; max-height: 46rem; background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; }
.scroll.wide { padding: .8rem; max-height: none; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--card); box-shadow: inset 0 -1px var(--rule); text-align: left; font-weight: 600; white-space: nowrap; padding: .55rem .8rem; }
thead th.n { text-align: right; }
th[aria-sort="ascending"] button::after { content: " ↑"; }
th[aria-sort="descending"] button::after { content: " ↓"; }
td { padding: .34rem .8rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
tbody tr:hover { background: color-mix(in srgb, var(--wash) 55%, transparent); }
tr:target { background: var(--wash); }
td.n { text-align: right; white-space: nowrap; }
td.nodes { max-width: 22rem; color: var(--soft); font-size: .8rem; overflow-wrap: anywhere; }
td.bar { background: linear-gradient(90deg, color-mix(in srgb, var(--h0) 20%, transparent) var(--part), transparent var(--part)) no-repeat left bottom / 100% 3px; }
td details dl { display: grid; grid-template-columns: max-content minmax(12rem, 34rem); gap: .1rem 1rem; margin: .4rem 0 .5rem 1.1rem; font-size: .83rem; }
td dt { color: var(--soft); }
td dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; }
.kernel { background: var(--card); border: 1px solid var(--rule); border-radius: .7rem; margin-bottom: .5rem; padding: .6rem 1rem; }
.kernel summary { overflow-wrap: anywhere; }
.kernel summary code { font-weight: 600; margin-right: .5rem; }
.kernel:target { border-color: var(--accent); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); gap: 1rem; }
figure { margin: 0 0 .8rem; min-width: 0; }
figcaption { font-size: .8rem; color: var(--soft); margin-bottom: .25rem; }
code { font-family: var(--code); font-size: .86em; }
pre { margin: 0; padding: .8rem 1rem; max-height: 40rem; overflow: auto; background: var(--paper); border: 1px solid var(--rule); border-radius: .5rem; line-height: 1.45; tab-size: 2; }
pre code { font-size: 12px; }
.tw { color: var(--h3); } .tn { color: var(--h4); } .tc { color: var(--soft); font-style: italic; } .ty { color: var(--h6); }
footer { color: var(--soft); font-size: .83rem; padding-block: 3rem 4rem; }
@media (max-width: 60rem) { .panes { grid-template-columns: minmax(0, 1fr); } main, header > div, footer { padding-inline: 1rem; } }
@media print { header { position: static; } .pane, .scroll, pre { max-height: none; } }
`;
