/** `tandem sessions POOL`. */
import type { PoolSessions } from "../runtime/desk.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, callApi, complain, showJson } from "./api_io.ts";
import { type Command, GOOD, type Invocation, UsageError, writeOut } from "./command.ts";
import { span } from "./status_table.ts";

export const command: Command = {
  summary: "show or forget the sessions in the table of a pool",
  usage: "POOL [--limit N] | POOL --forget [--server SERVER | --key KEY] [--both]",
  arguments: 1,
  options: {
    ...BOTH_OPTIONS,
    limit: { type: "string" },
    forget: { type: "boolean" },
    server: { type: "string" },
    key: { type: "string" },
  },
  help:
    `Of pools with \`sticky: { by: … }\`. A session is shown by the hash of what it is told by, which itself is not kept.

      --limit N          how many to show (default: 20)
      --forget           forget them instead: the next request of each is balanced anew
      --server SERVER    only those on this server
      --key KEY          only the one that is listed with this key
${BOTH_HELP}

Examples: tandem sessions app
          tandem sessions app --forget --server web1 --both`,
  run: async (invocation) => {
    const [pool] = invocation.positionals;
    if (pool === undefined) throw new UsageError("needs the name of a pool");
    const path = `/pools/${encodeURIComponent(pool)}/sessions`;
    const { forget, server, key, both } = invocation.values;
    if (forget !== true) {
      if (both === true) {
        throw new UsageError("takes --both with --forget; show those of one node with --node");
      }
      return await show(invocation, path);
    }
    const which = Object.entries({ server, key }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]]
    );
    const query = which.length === 0 ? "" : `?${new URLSearchParams(which)}`;
    return await act(
      invocation,
      { method: "DELETE", path: path + query },
      `sessions of ${pool} are forgotten`,
    );
  },
};

async function show(invocation: Invocation, path: string): Promise<number> {
  const { limit = "20", json } = invocation.values;
  if (!/^\d+$/.test(String(limit))) throw new UsageError("needs a whole number with --limit");
  const answer = await callApi(invocation, { method: "GET", path: `${path}?limit=${limit}` });
  if ("problem" in answer) return complain(answer.problem);
  if (json === true) return showJson(answer.value);
  const { sessions, entries, size } = answer.value as PoolSessions;
  writeOut(`${entries} of at most ${size}\n`);
  for (const { key, server, expiresInMs } of sessions) {
    writeOut(`  ${key}  ${server ?? "(a server that is gone)"}, for ${span(expiresInMs)}\n`);
  }
  return GOOD;
}
