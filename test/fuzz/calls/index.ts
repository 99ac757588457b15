/** Random sequences of calls. */
import type { Device } from "../../../runtime/devices/device.ts";
import type { Kind } from "../kind.ts";
import { showCall } from "./call.ts";
import { callsFault } from "./check.ts";
import { type CallsCase, drawCalls } from "./draw.ts";
import { hosts } from "./hosts.ts";

const happenings = ["overlap", "refused", "aborted", "closed", "lost", "overwritten"];

export function calls(gpu: Device | undefined): Kind<CallsCase> {
  const devices: readonly CallsCase["on"][] = gpu
    ? ["webgpu", "webgpu", "webgpu", "webgpu", "mortal"]
    : ["reference"];
  return {
    name: "calls",
    draw: (seed) => drawCalls(seed, devices),
    fault: (drawn) => callsFault(drawn, gpu),
    *smaller(drawn) {
      if (drawn.on === "webgpu") yield { ...drawn, on: "reference" };
      const put = (list: CallsCase["calls"]) => ({ ...drawn, calls: list });
      for (let half = drawn.calls.length >> 1; half > 1; half >>= 1)
        for (let i = 0; i < drawn.calls.length; i += half)
          yield put([...drawn.calls.slice(0, i), ...drawn.calls.slice(i + half)]);
      for (const [i] of drawn.calls.entries()) yield put(drawn.calls.filter((_, j) => j !== i));
      for (const [i, call] of drawn.calls.entries()) {
        const simpler = (change: Partial<typeof call>) =>
          put(drawn.calls.map((c, j) => (j === i ? { ...c, ...change } : c)));
        const { abort: _, ...kept } = call;
        if (call.abort !== undefined) yield put(drawn.calls.map((c, j) => (j === i ? kept : c)));
        if (call.overwritten) yield simpler({ overwritten: false });
        if (call.after !== "all") yield simpler({ after: "all" });
      }
    },
    show: ({ host, on, micro, calls: list }) =>
      [
        `// ${host} on ${on}${host === "training" ? `, micro: ${micro}` : ""}`,
        ...list.map(showCall),
      ].join("\n"),
    sameness: (text) =>
      text
        .replace(/^call \d+, (\w+\.?\w*)\(.*?: (?=gave|was|failed|after|rejected)/s, "$1 ")
        .replace(/-?\d[\d.e+-]*/g, "#")
        .slice(0, 50),
    covered({ host, on, calls: list }) {
      const pairs = list.slice(1).map((c, i) => `${list[i]!.method} ${c.method}`);
      return {
        hosts: [host],
        devices: [on],
        methods: list.map(({ method }) => method),
        orders: pairs,
        happenings: [
          ...(list.some(({ after }) => after !== "all") ? ["overlap"] : []),
          ...(list.some(({ bad }) => bad) ? ["refused"] : []),
          ...(list.some(({ abort }) => abort !== undefined) ? ["aborted"] : []),
          ...(list.some(({ method }) => method === "close") ? ["closed"] : []),
          ...(list.some(({ method }) => method === "lose") ? ["lost"] : []),
          ...(list.some(({ overwritten }) => overwritten) ? ["overwritten"] : []),
        ],
      };
    },
    all: {
      hosts: Object.keys(hosts),
      devices: gpu ? ["reference", "webgpu", "mortal"] : ["reference"],
      methods,
      orders: allOrders(),
      happenings,
    },
  };
}

const byHost: Readonly<Record<keyof typeof hosts, readonly string[]>> = {
  session: ["run", "read", "write", "reset", "profile"].map((m) => `one.${m}`),
  shared: ["one.run", "one.read", "one.write", "one.reset", "one.profile", "two.run"],
  bundle: ["model.run", "model.reset"],
  opening: ["open.session", "open.bundle", "open.trainer", "open.refused"],
  training: ["step", "run", "parameter", "gradient", "save", "saveAdapter", "present", "state"].map(
    (m) => `trainer.${m}`,
  ),
};

const methods = [...new Set([...Object.values(byHost).flat(), "close", "lose"])];

/** Every method of a host behind every other, closing included. */
function allOrders(): string[] {
  const pairs = Object.entries(byHost).flatMap(([host, own]) =>
    own.flatMap((a) => [
      ...own.map((b) => `${a} ${b}`),
      ...(host === "opening" ? [] : [`${a} close`, `close ${a}`]),
    ]),
  );
  return [...new Set(pairs)];
}
