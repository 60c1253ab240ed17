/** `tandem sessions POOL`. */
import type { PoolSessions } from "../runtime/desk.ts";
import { act, API_HELP, API_OPTIONS, callApi, complain, showJson } from "./api_io.ts";
import { type Command, GOOD, type Invocation, UsageError, writeOut } from "./command.ts";
import { span } from "./status_table.ts";

export const command: Command = {
  summary: "show or forget the sessions in the table of a pool",
  usage: "POOL [--limit N] | POOL --forget [--server SERVER]",
  arguments: 1,
  options: {
    ...API_OPTIONS,
    limit: { type: "string" },
    forget: { type: "boolean" },
    server: { type: "string" },
  },
  help:
    `Of pools with \`sticky: { by: … }\`. A session is shown by the hash of what it is told by, which itself is not kept.

      --limit N          how many to show (default: 20)
      --forget           forget them instead: the next request of each is balanced anew
      --server SERVER    only those on this server
${API_HELP}

Examples: tandem sessions app
          tandem sessions app --forget --server web1`,
  run: async (invocation) => {
    const [pool] = invocation.positionals;
    if (pool === undefined) throw new UsageError("needs the name of a pool");
    const path = `/pools/${encodeURIComponent(pool)}/sessions`;
    const { forget, server } = invocation.values;
    if (forget !== true) return await show(invocation, path);
    const query = server === undefined ? "" : `?server=${encodeURIComponent(String(server))}`;
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
