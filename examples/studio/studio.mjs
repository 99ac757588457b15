/** The studio: click to segment, paint a few masks, fine-tune on them, compare, and keep the adapter. */
import { connect } from "inarch/page";
import checkpointUrl from "../small-sam/small-sam.safetensors?url";
import { createCurve } from "./curve.mjs";
import { drawnPictures, openPicture } from "./pictures.mjs";
import { createStage, paintStroke } from "./stage.mjs";
import { renderStrip } from "./strip.mjs";

const element = (id) => document.getElementById(id);
const tools = [...document.querySelectorAll("[data-tool]")];
const hints = {
  select: "Click an object, or drag a box around it. Shift and click: not this.",
  brush: "Paint what the model is to learn. Arrow keys and Enter paint, too.",
  eraser: "Take away what is painted too much.",
};

/** @type {import("./pictures.mjs").Picture[]} */
const pictures = drawnPictures(8);
/** Adapters by name: `{ method, adapter, name }`. */
const adapters = new Map();
const state = { current: pictures[0], tool: "select", using: "", training: false, isBeside: false };

const stage = createStage(element("stage"), { onPoint, onBox, onStroke, onStrokeEnd });
const curve = createCurve(element("curve"));

// ---- What is seen ----

function render() {
  const { current, tool } = state;
  const isSelecting = tool === "select";
  const [before, after] = ["", state.using].map((name) => current.found.get(name));
  const isCompared = state.using !== "" && after !== undefined && isSelecting;
  const share = element("wipe").querySelector("input").value / 100;
  const masks = [];
  if (isCompared) {
    if (before) masks.push({ kind: "found", mask: before, from: 0, to: share });
    masks.push({ kind: "found", mask: after, from: share, to: 1 });
  } else if (current.painted) masks.push({ kind: "label", mask: current.label });
  if (current.selection) masks.push({ kind: "selection", mask: current.selection });
  stage.show({
    ...{ picture: current, masks, wipe: isCompared ? share : undefined },
    brush: isSelecting ? undefined : Number(element("size").value),
  });
  element("wipe").hidden = !isCompared;
  element("hint").textContent = hints[tool];
  document.querySelector(".size").hidden = isSelecting;
  for (const button of tools) button.setAttribute("aria-pressed", button.dataset.tool === tool);
  element("beside").hidden = !isSelecting || !current.selection;
  element("beside").setAttribute("aria-pressed", state.isBeside);
  element("undo").disabled = current.points.length === 0 && !current.box;
  element("keep").disabled = !current.selection;
  const painted = pictures.filter((picture) => picture.painted).length;
  element("tune").disabled = painted === 0 || state.training;
  element("tune").textContent =
    painted === 0 ? "Fine-tune" : `Fine-tune on ${painted} picture${painted > 1 ? "s" : ""}`;
  element("stop").hidden = !state.training;
  element("save").disabled = state.using === "";
  renderStrip(pictures, current, { choose, openFiles });
}

function renderAdapters() {
  const rows = ["", ...adapters.keys()].map((name) => {
    const row = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "adapter", value: name });
    radio.checked = name === state.using;
    radio.addEventListener("change", () => use(name));
    row.append(radio, name || "None, the model as it was");
    return row;
  });
  const list = element("adapters");
  list.replaceChildren(list.querySelector("legend"), ...rows);
}

function busy(words) {
  element("busy").hidden = words === undefined;
  element("busy").firstElementChild.textContent = words ?? "";
}

/** Says what went wrong, and what to do; work that was asked for is then over. */
function complain(error) {
  const { message, help } = error.details ?? error;
  element("problem").hidden = false;
  element("problem").textContent = [message, help].filter(Boolean).join(" — ");
  busy(undefined);
}

const guarded =
  (work) =>
  async (...given) => {
    element("problem").hidden = true;
    try {
      return await work(...given);
    } catch (error) {
      complain(error);
    }
  };

// ---- Models ----

const workers = {
  select: new Worker(new URL("./select-worker.mjs", import.meta.url), { type: "module" }),
  tune: new Worker(new URL("./tune-worker.mjs", import.meta.url), { type: "module" }),
};

/** What is asked of the models waits for those before it, and for their being there. */
let selecting = Promise.all([connect(workers.select), checkpointBytes()]).then(
  async ([model, bytes]) => {
    const { kind, description, why } = model.device;
    const isGpu = kind === "webgpu";
    element("device").textContent = isGpu
      ? `On the GPU: ${description}`
      : `On the processor: ${why}`;
    await model.load(bytes, { name: "small-sam.safetensors" });
    return model;
  },
);
let tuning = Promise.all([connect(workers.tune), checkpointBytes()]).then(
  async ([model, bytes]) => {
    await model.load(bytes, { name: "small-sam.safetensors" });
    return model;
  },
);
let seenBySelector;

async function checkpointBytes() {
  const response = await fetch(checkpointUrl);
  if (!response.ok) throw new Error(`the small SAM is not there: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

// ---- Selecting ----

function onPoint(x, y, isBeside) {
  const { current } = state;
  if (!current.selection && !current.box) state.isBeside = false;
  current.points.push({ x, y, label: isBeside || state.isBeside ? 0 : 1 });
  return select(current);
}

function onBox(box) {
  const { current } = state;
  Object.assign(current, { box, points: [] });
  return select(current);
}

const select = guarded(async (picture) => {
  render();
  const { points, box } = picture;
  if (points.length === 0 && !box) {
    picture.selection = undefined;
    return render();
  }
  const model = await selecting;
  if (seenBySelector !== picture) {
    seenBySelector = picture;
    await model.setImage(picture.image);
  }
  const given = {
    points: points.map(({ x, y }) => [x, y]),
    labels: points.map((p) => p.label),
    box,
  };
  const { mask } = await model.predict(given);
  if (picture.points === points && picture.box === box) picture.selection = mask.data;
  render();
});

/** Whether the next points are beside the object: what Shift says for one of them. */
function toggleBeside() {
  state.isBeside = !state.isBeside;
  render();
}

function undo() {
  const { current } = state;
  if (current.points.length > 0) current.points = current.points.slice(0, -1);
  else current.box = undefined;
  select(current);
}

function keep() {
  const { current } = state;
  if (!current.selection) return;
  current.selection.forEach((inside, at) => {
    if (inside) current.label[at] = 1;
  });
  Object.assign(current, { painted: true, selection: undefined, points: [], box: undefined });
  state.isBeside = false;
  render();
}

// ---- Painting ----

function onStroke(from, to) {
  const { current, tool } = state;
  const size = Number(element("size").value);
  paintStroke(current.label, current.image, from, to, size, tool === "brush" ? 1 : 0);
  current.painted = true;
  stage.show({ picture: current, masks: [{ kind: "label", mask: current.label }], brush: size });
}

function onStrokeEnd() {
  state.current.painted = state.current.label.includes(1);
  render();
}

function setTool(tool) {
  state.tool = tool;
  render();
}

function choose(picture) {
  state.current = picture;
  render();
  find(picture);
}

async function openFiles(files) {
  for (const file of files) {
    await guarded(async () => {
      pictures.push(await openPicture(file));
      choose(pictures.at(-1));
    })();
  }
}

// ---- Fine-tuning ----

const tune = guarded(async () => {
  const steps = Number(element("steps").value);
  const method = element("method").value;
  const examples = pictures
    .filter((picture) => picture.painted)
    .map(({ image, label }) => ({ image, mask: { ...sizeOf(image), data: label } }));
  state.training = true;
  curve.begin("Compiling what trains…");
  render();
  const started = performance.now();
  try {
    const model = await tuning;
    const adapter = await model.tune(examples, {
      ...{ method, steps },
      onStep: (_, loss) => curve.add(loss, steps),
    });
    const words = element("method").selectedOptions[0].textContent;
    const name = freshName(`${words}, ${examples.length} picture${examples.length > 1 ? "s" : ""}`);
    adapters.set(name, { method, adapter, name });
    curve.say(`${((performance.now() - started) / 1000).toFixed(0)} s, ${kilobytes(adapter)}`);
    await use(name);
  } finally {
    state.training = false;
    render();
  }
});

const kilobytes = ({ byteLength }) => `the adapter takes ${Math.ceil(byteLength / 1000)} kB`;
const sizeOf = ({ width, height }) => ({ width, height });

function freshName(name) {
  for (let i = 1; ; i++) {
    const one = i === 1 ? name : `${name} (${i})`;
    if (!adapters.has(one)) return one;
  }
}

async function use(name) {
  state.using = name;
  if (name !== "") setTool("select");
  renderAdapters();
  render();
  await find(state.current);
}

/** The masks of a picture without an adapter and with the one in use, as far as they are not known. */
const find = guarded(async (picture) => {
  if (state.using === "") return;
  const model = await tuning;
  for (const name of ["", state.using]) {
    if (picture.found.has(name)) continue;
    const { data } = await model.find(picture.image, adapters.get(name));
    picture.found.set(name, data);
  }
  render();
});

// ---- Files ----

function save() {
  const { adapter } = adapters.get(state.using);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([adapter]));
  link.download = `${state.using.replace(/[^\w-]+/g, "-").toLowerCase()}.safetensors`;
  link.click();
  URL.revokeObjectURL(link.href);
}

const openAdapter = guarded(async (file) => {
  const adapter = new Uint8Array(await file.arrayBuffer());
  busy("Opening the adapter…");
  const model = await tuning;
  const method = await model.methodOf(adapter, { name: file.name });
  const name = freshName(file.name.replace(/\.safetensors$/, ""));
  adapters.set(name, { method, adapter, name });
  busy(undefined);
  await use(name);
});

const openCheckpoint = guarded(async (file) => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  busy("Opening the checkpoint…");
  const load = async (model) => ({ model, facts: await model.load(bytes, { name: file.name }) });
  const [first, second] = await Promise.all([selecting.then(load), tuning.then(load)]);
  [selecting, tuning] = [first.model, second.model].map((model) => Promise.resolve(model));
  const { depth, channels, side } = first.facts;
  element("model").textContent =
    `${file.name}: ${depth} blocks of ${channels} channels, ${side} pixels`;
  adapters.clear();
  for (const picture of pictures) picture.found.clear();
  seenBySelector = undefined;
  busy(undefined);
  await use("");
});

// ---- Wiring ----

for (const button of tools) button.addEventListener("click", () => setTool(button.dataset.tool));
element("undo").addEventListener("click", undo);
element("beside").addEventListener("click", toggleBeside);
element("keep").addEventListener("click", keep);
element("size").addEventListener("input", render);
element("wipe").addEventListener("input", render);
element("tune").addEventListener("click", tune);
element("stop").addEventListener("click", async () => (await tuning).stop());
element("save").addEventListener("click", save);
const fileOf =
  (work) =>
  ({ target }) =>
    target.files[0] && work(target.files[0]);
element("adapter-file").addEventListener("change", fileOf(openAdapter));
element("checkpoint").addEventListener("change", fileOf(openCheckpoint));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=range]):not([type=radio]), select")) return;
  const work = {
    ...{ s: () => setTool("select"), b: () => setTool("brush"), e: () => setTool("eraser") },
    ...{ a: keep, n: toggleBeside, Backspace: undo },
  }[event.key];
  if (!work) return;
  event.preventDefault();
  work();
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  openFiles(event.dataTransfer.files);
});

/** For the console and for tests: masks by code, what is selected, and what an adapter finds. */
globalThis.studio = {
  label(index, mask) {
    Object.assign(pictures[index], { label: Uint8Array.from(mask), painted: true });
    render();
  },
  selection: () => state.current.selection,
  async find(index, name = state.using) {
    const { data } = await (await tuning).find(pictures[index].image, adapters.get(name));
    return data;
  },
};

renderAdapters();
render();
busy("Loading the model…");
selecting.then(() => busy(undefined), complain);
