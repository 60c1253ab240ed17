/** `tandem cache [purge]`. */
import type { NodeStatus } from "../observe/status.ts";
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { type Command, UsageError } from "./command.ts";

export const command: Command = {
  summary: "show how much the cache holds, or forget stored answers",
  usage: "[purge [PATH] [--host HOST] [--all]]",
  arguments: 2,
  options: { ...BOTH_OPTIONS, host: { type: "string" }, all: { type: "boolean" } },
  help:
    `Of routes with a \`cache\`. A purge reaches all workers; what is being fetched meanwhile is not stored either.

      PATH           only this path, with any query unless it has one; with * at its end all that begin so
      --host HOST    only answers of this host, without a port
      --all          everything; needed when nothing else is said
${BOTH_HELP}

Examples: tandem cache
          tandem cache purge '/media/*' --host shop.example.com
          tandem cache purge --all --both`,
  run: async (invocation) => {
    const [word, path] = invocation.positionals;
    if (word === undefined) return await show(invocation, "/cache", describeCache);
    if (word !== "purge") throw new UsageError("needs purge or nothing");
    const { host, all } = invocation.values;
    if (path === undefined && host === undefined && all !== true) {
      throw new UsageError("needs a path, --host or --all");
    }
    if (path !== undefined && !path.startsWith("/")) throw new UsageError("needs a path that begins with /");
    const body = { path, host, ...all === true ? { all } : {} };
    return await act(
      invocation,
      { method: "POST", path: "/cache/purge", body },
      "stored answers are forgotten",
    );
  },
};

function describeCache(value: unknown): string {
  const { entries, bytes, maxBytes, stored, evicted } = value as NodeStatus["cache"];
  return maxBytes === 0
    ? "no route has a cache\n"
    : `${entries} answers in ${megabytes(bytes)} of ${megabytes(maxBytes)} MB; ` +
      `${stored} stored since the start, ${evicted} gone for lack of room\n`;
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
