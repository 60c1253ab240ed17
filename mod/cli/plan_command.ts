/** `tandem plan`. */
import type { Plan } from "../runtime/desk.ts";
import type { ListenerStatus } from "../observe/status.ts";
import { API_HELP, API_OPTIONS, callApi, complain, showJson } from "./api_io.ts";
import { BAD, type Command, GOOD, writeErr, writeOut } from "./command.ts";

export const command: Command = {
  summary: "show what a reload would change, and what it costs",
  usage: "",
  options: API_OPTIONS,
  help:
    `Compares the file of the running node, as it is on disk now, with what runs: what would be added, removed and
changed, on which addresses it would listen, which connections would end, which addresses would move. Nothing is
changed. Exit code 1: a reload would be refused, and every reason is shown.

${API_HELP}

Example: tandem plan && tandem reload`,
  run: async (invocation) => {
    const [answer, listeners] = await Promise.all([
      callApi(invocation, { method: "GET", path: "/plan" }),
      callApi(invocation, { method: "GET", path: "/listeners" }),
    ]);
    if ("problem" in answer) return complain(answer.problem);
    const plan = answer.value as Plan;
    if (invocation.values.json === true) {
      showJson(plan);
      return plan.problems.length === 0 ? GOOD : BAD;
    }
    for (const problem of plan.problems) writeErr(`${problem}\n`);
    if (plan.problems.length > 0) return complain("a reload would be refused");
    writeOut(describePlan(plan, "value" in listeners ? listeners.value as readonly ListenerStatus[] : []));
    return GOOD;
  },
};

const SIGNS = { added: "+", removed: "-", changed: "~" } as const;

/** A line for each change. `listeners`: those that run, for how many connections they have. */
export function describePlan({ changes }: Plan, listeners: readonly ListenerStatus[]): string {
  if (changes.length === 0) return "a reload would change nothing\n";
  return changes.map(({ what, name, change, fields, effect }) => {
    const active = listeners.find((one) => one.name === name)?.counters.active ?? 0;
    const cost = what === "listener" && change === "removed" && active > 0 ? ` (${active} now)` : "";
    const of = fields.length === 0 ? "" : `: ${fields.join(", ")}`;
    return `${SIGNS[change]} ${what} ${name}${of}${effect === "" ? "" : `; ${effect}${cost}`}\n`;
  }).join("");
}
