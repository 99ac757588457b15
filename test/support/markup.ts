/** Reads generated HTML strictly: whatever a browser would have to repair is an error here. */
import { bug } from "../../diagnostics/index.ts";

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (Element | string)[];
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** The root of a page that is well-formed: every tag closed in order, every value quoted. */
export function parsePage(text: string): Element {
  const doctype = "<!doctype html>\n";
  if (!text.startsWith(doctype)) bug("there is no doctype");
  const root: Element = { name: "", attributes: new Map(), children: [] };
  const open: { element: Element; children: (Element | string)[] }[] = [
    { element: root, children: root.children as (Element | string)[] },
  ];
  let rest = text.slice(doctype.length);
  while (rest !== "") {
    const here = open.at(-1)!;
    const raw = here.element.name === "script" || here.element.name === "style";
    const end = raw ? rest.indexOf(`</${here.element.name}>`) : rest.indexOf("<");
    const words = end < 0 ? rest : rest.slice(0, end);
    if (words !== "") here.children.push(raw ? words : plain(words));
    rest = rest.slice(words.length);
    if (rest === "") break;
    const closing = /^<\/(\w+)>/.exec(rest);
    if (closing) {
      if (closing[1] !== here.element.name) bug(`${here.element.name} is closed as ${closing[1]}`);
      open.pop();
      rest = rest.slice(closing[0].length);
      continue;
    }
    const tag = /^<([A-Za-z]\w*)((?: [\w-]+="[^"<>]*")*)( \/)?>/.exec(rest);
    if (!tag) bug(`no tag: ${rest.slice(0, 80)}`);
    const children: (Element | string)[] = [];
    const element = { name: tag[1]!, attributes: attributesOf(tag[2]!), children };
    here.children.push(element);
    if (tag[3] === undefined) open.push({ element, children });
    rest = rest.slice(tag[0].length);
  }
  if (open.length !== 1) bug(`${open.at(-1)!.element.name} is never closed`);
  const elements = root.children.filter((c) => typeof c !== "string");
  return elements.length === 1 ? elements[0]! : bug(`the page has ${elements.length} roots`);
}

function attributesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/ ([\w-]+)="([^"]*)"/g)) {
    if (found.has(name!)) bug(`${name} is given twice`);
    found.set(name!, plain(value!));
  }
  return found;
}

const plain = (text: string): string =>
  text.replace(/&(?:\w+|#\w+);|&/g, (e) => entities[e] ?? bug(`the entity ${e} is unknown`));

/** An element and all below it, in the order of the page. */
export function* everyElement(root: Element): Generator<Element> {
  yield root;
  for (const child of root.children) if (typeof child !== "string") yield* everyElement(child);
}

/** What a person reads of an element. */
export const textOf = (element: Element): string =>
  element.children.map((c) => (typeof c === "string" ? c : textOf(c))).join("");
