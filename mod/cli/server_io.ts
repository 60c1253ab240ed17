/** What the commands about one server have in common. */
import { parseDuration } from "../base/duration.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, callApi } from "./api_io.ts";
import { type Command, GOOD, type Invocation, UsageError, writeOut } from "./command.ts";
import { complain } from "./refusal.ts";

/** How often a server in drain is looked at. */
const LOOK_MS = 200;

export interface ServerPath {
  readonly pool: string;
  readonly server: string;
  /** Of the API. */
  readonly path: string;
}

/** Reads `POOL/SERVER`. */
export function serverOf(word: string | undefined): ServerPath {
  const [, pool, server] = /^([^/]+)\/([^/]+)$/.exec(word ?? "") ?? [];
  if (pool === undefined || server === undefined) {
    throw new UsageError("needs a server as POOL/SERVER, both by the names in tandem status");
  }
  const path = `/pools/${encodeURIComponent(pool)}/servers/${encodeURIComponent(server)}`;
  return { pool, server, path };
}

const MEANING = {
  drain:
    `From now on the server gets nothing new. What it has it keeps: requests under way, open connections and
tunnels, and the requests of its sessions. Its health is still checked.`,
  ready: "The server gets traffic again, from now on, if its health allows it.",
  maint:
    `From now on the server gets nothing at all, its sessions go to others, and it is not checked any more. What
is under way is finished.`,
} as const;

/** `tandem drain`, `ready` and `maint`. */
export function stateCommand(state: keyof typeof MEANING): Command {
  const waits = state !== "ready";
  return {
    summary: SUMMARY[state],
    usage: `POOL/SERVER${waits ? " [--wait TIME]" : ""} [--both]`,
    arguments: 1,
    options: { ...BOTH_OPTIONS, ...waits ? { wait: { type: "string" } } : {} },
    help: `${MEANING[state]}
It is so in all workers at once and in what the kernel forwards, and stays so when the balancer is restarted and when
the file is reloaded (unless it says \`admin: { liveChanges: reset }\`). tandem status tells what is not as the file says.

${
      waits
        ? "      --wait TIME    wait until nothing is under way on it, such as 30s; exit code 1 when something still is\n"
        : ""
    }${BOTH_HELP}

Examples: tandem ${state} app/web1${waits ? " --wait 30s" : ""}
          tandem ${state} app/web1 --both
          tandem ${state} app/web1 --url http://10.0.0.1:9900`,
    run: async (invocation) => {
      const [word] = invocation.positionals;
      const { path } = serverOf(word);
      const waitMs = waits ? durationOf(invocation.values.wait) : 0;
      const code = await act(
        invocation,
        { method: "PATCH", path, body: { state } },
        `${word} is ${state === "ready" ? state : `in ${state}`}`,
      );
      return code === GOOD && waitMs > 0 ? await untilIdle(invocation, path, waitMs) : code;
    },
  };
}

const SUMMARY = {
  drain: "give a server nothing new",
  ready: "give a server traffic again",
  maint: "give a server nothing at all, and leave it unchecked",
} as const;

function durationOf(text: string | boolean | undefined): number {
  if (text === undefined) return 0;
  const ms = parseDuration(String(text));
  if (ms === null) throw new UsageError("needs --wait with a duration such as 30s or 5m");
  return ms;
}

/** Waits until nothing is under way on a server. */
async function untilIdle(invocation: Invocation, path: string, waitMs: number): Promise<number> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const answer = await callApi(invocation, { method: "GET", path });
    if ("problem" in answer) return complain(answer.problem, invocation);
    const silent = answer.all?.find(({ status }) => status >= 400);
    if (silent !== undefined) return complain(`${silent.node} does not tell what is under way on it`);
    const answers = answer.all?.map(({ answer }) => answer) ?? [answer.value];
    const active = answers.reduce<number>((sum, one) => sum + ((one as { active?: number }).active ?? 0), 0);
    if (active === 0) {
      if (invocation.values.json !== true) writeOut("nothing is under way on it\n");
      return GOOD;
    }
    if (performance.now() >= deadline) return complain(`${active} still under way on it`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
