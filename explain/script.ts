/** What the page does by itself. Without it everything is still there, one thing below the other. */

/** JavaScript. It asks nothing of the network, and writes text as text alone. */
export const script = `
"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const root = document.documentElement;

document.getElementById("theme").addEventListener("click", () => {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
});

const mark = (elements, isCurrent) => {
  for (const element of elements)
    if (isCurrent(element)) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
};

function showProgram(section) {
  for (const other of all("section.program")) other.hidden = other !== section;
  mark(all("header nav a"), (a) => a.dataset.program === section.id);
}

function showBlock(id) {
  const chosen = document.getElementById(id);
  const program = chosen.closest("section.program");
  for (const block of all(".block", program)) block.hidden = block !== chosen;
  mark(all("[data-block]", program), (a) => a.dataset.block === id);
  bringIntoSight(program.querySelector(".overview [aria-current]"));
  // A picture that is wider than its pane begins with its first node, not with what is left of it.
  bringIntoSight(chosen.querySelector("svg rect"));
}

/** Only what is out of sight moves, and the page itself never. */
function bringIntoSight(node) {
  const pane = node && node.closest(".pane");
  if (!pane) return;
  const [inner, outer] = [node.getBoundingClientRect(), pane.getBoundingClientRect()];
  const past = (low, high, from, to) => Math.min(0, low - from - 20) + Math.max(0, high - to + 20);
  pane.scrollLeft += past(inner.left, inner.right, outer.left, outer.right);
  pane.scrollTop += past(inner.top, inner.bottom, outer.top, outer.bottom);
}

/** Once more: what was hidden had no places to scroll to. */
function showCurrentBlock(program) {
  const current = program.querySelector(".block:not([hidden])");
  if (current) showBlock(current.id);
}

function reveal(id) {
  const element = id && document.getElementById(id);
  const program = element && element.closest("section.program");
  if (!program) return;
  showProgram(program);
  if (element.classList.contains("block")) showBlock(id);
  else showCurrentBlock(program);
  if (element.tagName === "DETAILS") element.open = true;
  if (element !== program) element.scrollIntoView({ block: "start" });
}

const programs = all("section.program");
for (const program of programs) {
  const heaviest = program.querySelector(".block[data-heaviest]");
  if (heaviest) showBlock(heaviest.id);
}
if (programs.length > 0) showProgram(programs[0]);
reveal(location.hash.slice(1));
addEventListener("hashchange", () => reveal(location.hash.slice(1)));

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-block], [data-program]");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.block) showBlock(link.dataset.block);
  else {
    const program = document.getElementById(link.dataset.program);
    showProgram(program);
    showCurrentBlock(program);
    scrollTo(0, 0);
  }
});

for (const table of all("table.sortable")) {
  const heads = all("th", table);
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const key = (row) => row.cells[column].dataset.sort;
    const isNumber = table.tBodies[0].rows[0].cells[column].classList.contains("n");
    const before = head.getAttribute("aria-sort");
    const upwards = before ? before === "descending" : !isNumber || column === 0;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", upwards ? "ascending" : "descending");
    const compare = isNumber ? (a, b) => key(a) - key(b) : (a, b) => key(a).localeCompare(key(b));
    const rows = [...table.tBodies[0].rows].sort((a, b) => (upwards ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
  }));
}

const kinds = [
  ["tc", /^\\/\\/.*/],
  ["tw", /^(?:fn|let|var|const|for|in|if|else|return|kernel|reads|writes|shared|local|barrier|loop|while|enable|struct|extern|void|unsigned|int|float|bool|__\\w+)\\b|^@\\w+/],
  ["ty", /^(?:f32|f16|u32|i32|vec4|array|storage|workgroup|read_write|read|function|private)\\b/],
  ["tn", /^\\d[\\w.]*(?:e-?\\d+)?/],
  ["", /^\\w+|^\\s+|^[^]/],
];

function colour(code) {
  if (code.dataset.done) return;
  code.dataset.done = "yes";
  let rest = code.textContent;
  const pieces = [];
  while (rest) {
    const [kind, found] = kinds.map(([kind, pattern]) => [kind, pattern.exec(rest)]).find(([, m]) => m);
    const text = found[0];
    rest = rest.slice(text.length);
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    pieces.push(kind ? span : text);
  }
  code.replaceChildren(...pieces);
}

for (const kernel of all("details.kernel"))
  kernel.addEventListener("toggle", () => kernel.open && all("pre code", kernel).forEach(colour));
`;
