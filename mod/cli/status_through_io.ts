/** `tandem status` of another node, asked through one that answers here, or of every node of the pair. */
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { NodeStatus } from "../observe/status.ts";
import { type ApiAnswer, callApi, isGood } from "./api_io.ts";
import { BAD, GOOD, type Invocation } from "./command.ts";
import { electionTable } from "./election_table.ts";
import type { StatusQuestion } from "./status_io.ts";
import { statusTable } from "./status_table.ts";

/** What a node answers; each of both is null where that process does not. */
interface Told {
  readonly node: NodeStatus | null;
  readonly keeper: KeeperStatus | null;
}

/** Gives the exit code: 1 when a node does not answer. */
export async function askThrough(
  invocation: Invocation,
  { json, columns, out, err }: Pick<StatusQuestion, "json" | "columns" | "out" | "err">,
): Promise<number> {
  const answer: ApiAnswer = await callApi(invocation, { method: "GET", path: "/status" });
  if ("problem" in answer) {
    err(`${answer.problem}\n`);
    return BAD;
  }
  const { value, all } = answer;
  if (json) out(JSON.stringify(all === undefined ? together(value as Told) : value, null, 2) + "\n");
  else if (all === undefined) out(table(value as Told, columns));
  for (const one of all ?? []) {
    if (!isGood(one)) err(`${one.node}: ${(one.answer as { error?: string }).error}\n`);
    else if (!json) out(`== ${one.node}\n${table(one.answer as Told, columns)}\n`);
  }
  return all === undefined || all.every(isGood) ? GOOD : BAD;
}

/** As of a node on this machine. */
function together({ node, keeper }: Told): unknown {
  return { ...node, keeper };
}

function table({ node, keeper }: Told, columns: number | null): string {
  const now = Date.now();
  const parts = [
    keeper === null ? null : electionTable(keeper, now, columns),
    node === null ? null : statusTable(node, now, columns),
  ];
  return parts.filter((part) => part !== null).join("\n");
}
