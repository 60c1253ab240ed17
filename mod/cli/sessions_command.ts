/** `tandem sessions POOL`. */
import type { PoolSessions } from "../runtime/desk.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { span } from "./status_table.ts";

export const command: Command = {
  summary: "show, set or forget the sessions in the table of a pool",
  usage: "POOL [--value VALUE | --key KEY | --limit N --after PLACE] [--both] | " +
    "POOL --set SERVER (--value VALUE | --key KEY) [--both] | " +
    "POOL --forget [--server SERVER | --value VALUE | --key KEY] [--both]",
  arguments: 1,
  options: {
    ...BOTH_OPTIONS,
    limit: { type: "string" },
    after: { type: "string" },
    value: { type: "string" },
    set: { type: "string" },
    forget: { type: "boolean" },
    server: { type: "string" },
    key: { type: "string" },
  },
  help:
    `Of pools with \`sticky: { by: … }\`. A session is shown by the hash of what it is told by, which itself is not kept.

      --limit N          how many to show, at most 1000 (default: 20)
      --after PLACE      those that follow, as the last line says
      --value VALUE      only that of the client with this address, cookie, header or whatever the pool tells them by
      --key KEY          only the one that is listed with this key
      --set SERVER       put it on this server, whether there is one or not
      --forget           forget them instead: the next request of each is balanced anew
      --server SERVER    only those on this server
${BOTH_HELP}

Examples: tandem sessions app
          tandem sessions app --value 192.0.2.7
          tandem sessions app --set web2 --value 192.0.2.7 --both
          tandem sessions app --forget --server web1 --both`,
  run: async (invocation) => {
    const [pool] = invocation.positionals;
    if (pool === undefined) throw new UsageError("needs the name of a pool");
    const path = `/pools/${encodeURIComponent(pool)}/sessions`;
    const { forget, server, set } = invocation.values;
    if (forget !== true && server !== undefined) throw new UsageError("needs --forget with --server");
    const page = PAGE.find((name) => invocation.values[name] !== undefined);
    if (page !== undefined && (forget === true || set !== undefined)) {
      throw new UsageError(
        `takes --${page} to show sessions, not with --${forget === true ? "forget" : "set"}`,
      );
    }
    if (set === undefined) {
      const asked = query(invocation, forget === true ? ["server", ...WHICH] : [...PAGE, ...WHICH]);
      return forget === true
        ? await act(invocation, { method: "DELETE", path: path + asked }, `sessions of ${pool} are forgotten`)
        : await show(invocation, path + asked, describeSessions);
    }
    const { key, value } = invocation.values;
    if (forget === true) throw new UsageError("takes --set or --forget");
    if ((key === undefined) === (value === undefined)) {
      throw new UsageError("needs --value or --key with --set");
    }
    const body = { server: set, ...key === undefined ? { value } : { key } };
    return await act(invocation, { method: "PUT", path, body }, `sessions of ${pool} put on ${set}`);
  },
};

const WHICH = ["key", "value"];
const PAGE = ["limit", "after"];

/** Those flags that are given, as the API takes them. */
function query({ values }: Invocation, names: readonly string[]): string {
  const given: Record<string, unknown> = { ...names.includes("limit") ? { limit: "20" } : {}, ...values };
  const pairs = names.flatMap((name) => given[name] === undefined ? [] : [[name, String(given[name])]]);
  for (const [name, value] of pairs) {
    if (PAGE.includes(name!) && !/^\d+$/.test(value!)) {
      throw new UsageError(`needs a whole number with --${name}`);
    }
  }
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
}

function describeSessions(value: unknown): string {
  const { sessions, entries, size, next } = value as PoolSessions;
  const lines = sessions.map(({ key, server, expiresInMs }) =>
    `  ${key}  ${server ?? "(a server that is gone)"}, for ${span(expiresInMs)}\n`
  );
  const more = next === null ? "" : `more: --after ${next}\n`;
  return `${entries} of at most ${size}\n${lines.join("")}${more}`;
}
