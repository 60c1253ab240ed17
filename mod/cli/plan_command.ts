/** `tandem plan`. */
import { reasonOf } from "../base/reason.ts";
import type { Plan } from "../runtime/desk.ts";
import type { ListenerStatus } from "../observe/status.ts";
import {
  answersOf,
  type ApiAnswer,
  type ApiRequest,
  BOTH_HELP,
  BOTH_OPTIONS,
  callApi,
  heading,
  isGood,
  type NodeAnswer,
  refusalOf,
  showJson,
} from "./api_io.ts";
import { BAD, type Command, GOOD, UsageError, writeErr, writeOut } from "./command.ts";
import { complain } from "./refusal.ts";

export const command: Command = {
  summary: "show what a reload would change, and what it costs",
  usage: "[FILE]",
  arguments: 1,
  options: BOTH_OPTIONS,
  help:
    `Compares the file of the running node, as it is on disk now, or FILE in its place, with what runs: what would be
added, removed and changed, on which addresses it would listen, which connections would end, which addresses would
move. Nothing is changed. FILE is for this machine's own node. Exit code 1: a reload would be refused, with every
reason but those that only show when it is tried: addresses that others have, functions that do not start, an access
log that cannot be opened, and what does not fit into shared memory. Certificates are read as the node reads them,
and relative paths begin where its own file is, also those of FILE.

${BOTH_HELP}

Examples: tandem plan && tandem reload
          tandem plan --both
          tandem plan next.yaml`,
  run: async (invocation) => {
    const [file] = invocation.positionals;
    if (file !== undefined && invocation.values.both === true) {
      throw new UsageError("takes no --both with a file, which is for this machine's own node");
    }
    const request = file === undefined ? NOW : requestFor(file);
    if ("problem" in request) return complain(request.problem, invocation);
    const [answer, listeners] = await Promise.all([
      callApi(invocation, request),
      callApi(invocation, { method: "GET", path: "/listeners" }),
    ]);
    if ("problem" in answer) return complain(answer.problem, invocation);
    const plans = answersOf(answer).map((one) =>
      isGood(one) ? { ...one, answer: named(one.answer as Plan, file) } : one
    );
    if (invocation.values.json === true) showJson(answer.all === undefined ? plans[0]!.answer : answer.value);
    else for (const plan of plans) tell(plan, listeners);
    return plans.every(isAccepted) ? GOOD : BAD;
  },
};

function isAccepted(one: NodeAnswer): boolean {
  return isGood(one) && (one.answer as Plan).problems.length === 0;
}

function tell(one: NodeAnswer, listeners: ApiAnswer): void {
  if (!isGood(one)) return void complain(refusalOf(one));
  const { node, answer } = one as { readonly node: string; readonly answer: Plan };
  const of = node === "" ? "" : `${node}: `;
  for (const problem of answer.problems) writeErr(`${of}${problem}\n`);
  if (answer.problems.length > 0) return void complain(`${of}a reload would be refused`);
  const running = "problem" in listeners
    ? undefined
    : answersOf(listeners).find((said) => said.node === node);
  const known = running !== undefined && isGood(running) ? running.answer as readonly ListenerStatus[] : [];
  writeOut(heading(node) + describePlan(answer, known));
}

/** Modules of functions may have to be bundled. */
const WITHIN_MS = 60_000;
const NOW: ApiRequest = { method: "GET", path: "/plan", withinMs: WITHIN_MS };

/** The node is told the text: it reads no file for somebody else. */
function requestFor(file: string): ApiRequest | { readonly problem: string } {
  try {
    return { ...NOW, method: "POST", body: { text: Deno.readTextFileSync(file) } };
  } catch (error) {
    return { problem: `Cannot read ${file}: ${reasonOf(error)}` };
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
