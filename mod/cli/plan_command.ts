/** `tandem plan`. */
import type { Plan } from "../runtime/desk.ts";
import type { ListenerStatus } from "../observe/status.ts";
import { API_HELP, API_OPTIONS, type ApiRequest, callApi, complain, showJson } from "./api_io.ts";
import { BAD, type Command, GOOD, writeErr, writeOut } from "./command.ts";

export const command: Command = {
  summary: "show what a reload would change, and what it costs",
  usage: "[FILE]",
  arguments: 1,
  options: API_OPTIONS,
  help:
    `Compares the file of the running node, as it is on disk now, or FILE in its place, with what runs: what would be
added, removed and changed, on which addresses it would listen, which connections would end, which addresses would
move. Nothing is changed. FILE is for this machine's own node. Exit code 1: a reload would be refused, with every
reason but those that only show when it is tried: certificates' files, and addresses that others have.

${API_HELP}

Examples: tandem plan && tandem reload
          tandem plan next.yaml`,
  run: async (invocation) => {
    const [file] = invocation.positionals;
    const request = file === undefined ? NOW : requestFor(file);
    if ("problem" in request) return complain(request.problem);
    const [answer, listeners] = await Promise.all([
      callApi(invocation, request),
      callApi(invocation, { method: "GET", path: "/listeners" }),
    ]);
    if ("problem" in answer) return complain(answer.problem);
    const plan = named(answer.value as Plan, file);
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

/** Modules of functions may have to be bundled. */
const WITHIN_MS = 60_000;
const NOW: ApiRequest = { method: "GET", path: "/plan", withinMs: WITHIN_MS };

/** The node is told the text: it reads no file for somebody else. */
function requestFor(file: string): ApiRequest | { readonly problem: string } {
  try {
    return { ...NOW, method: "POST", body: { text: Deno.readTextFileSync(file) } };
  } catch (error) {
    return { problem: `Cannot read ${file}: ${error instanceof Error ? error.message : error}` };
  }
}

/** The node knows the text by the name of its own file. */
function named({ problems, ...rest }: Plan, file: string | undefined): Plan {
  if (file === undefined) return { problems, ...rest };
  return { ...rest, problems: problems.map((one) => one.replace(/^.*?(?=:\d+:\d+: )/, file)) };
}

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
