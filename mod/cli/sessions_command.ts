/** `tandem sessions POOL`. */
import type { PoolSessions } from "../runtime/desk.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { type Command, UsageError } from "./command.ts";
import { span } from "./status_table.ts";

export const command: Command = {
  summary: "show or forget the sessions in the table of a pool",
  usage: "POOL [--limit N] [--both] | POOL --forget [--server SERVER | --key KEY] [--both]",
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
    const { forget, server, key, limit = "20" } = invocation.values;
    if (forget !== true) {
      if (!/^\d+$/.test(String(limit))) throw new UsageError("needs a whole number with --limit");
      return await show(invocation, `${path}?limit=${limit}`, describeSessions);
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

function describeSessions(value: unknown): string {
  const { sessions, entries, size } = value as PoolSessions;
  const lines = sessions.map(({ key, server, expiresInMs }) =>
    `  ${key}  ${server ?? "(a server that is gone)"}, for ${span(expiresInMs)}\n`
  );
  return `${entries} of at most ${size}\n${lines.join("")}`;
}
