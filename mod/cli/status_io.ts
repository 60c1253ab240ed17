/**
 * `tandem status`: asks a node's admin address and prints the answer, as a table or as JSON.
 */
import type { NodeStatus } from "../observe/status.ts";
import { electionTable, type KeeperView } from "./election_table.ts";
import { statusTable } from "./status_table.ts";

export interface StatusQuestion {
  /** Where the node answers: `http://127.0.0.1:9900`. */
  readonly url: string;
  /** Null: none is sent. */
  readonly token: string | null;
  /** Authorities (PEM) that are trusted beside the system's. */
  readonly caCerts?: string[];
  readonly json: boolean;
  /** Of the terminal; null: there is none. */
  readonly columns: number | null;
  /** Where the answer and where a complaint goes; ends with a line feed. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** A node that does not answer within this is as good as down for whoever asks. */
const ANSWER_MS = 5000;

/** The keeper alone, where its balancer is down. Gives the exit code. */
export function showKeeper(
  keeper: KeeperView,
  { json, columns, out }: Pick<StatusQuestion, "json" | "columns" | "out">,
): number {
  out(json ? JSON.stringify({ keeper }, null, 2) + "\n" : electionTable(keeper, Date.now(), columns));
  return 0;
}

/** Asks and prints. Gives the exit code: 0 answered, 1 no node, no access, or no answer that makes sense. */
export async function runStatus(
  { url, token, caCerts = [], json, columns, out, err }: StatusQuestion,
): Promise<number> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  let text: string;
  using client = Deno.createHttpClient({ caCerts });
  try {
    const response = await fetch(new URL("/status", withScheme(url)), {
      client,
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    text = await response.text();
    if (!response.ok) {
      err(`Cannot read the status from ${url} as it answers ${response.status}${hint(response.status)}\n`);
      return 1;
    }
  } catch (error) {
    err(`Cannot read the status from ${url}: ${reasonOf(error)}\n`);
    return 1;
  }
  const status = parseStatus(text);
  if (status === null) {
    err(`Cannot read the status from ${url} as what answers there is not Tandem of this version\n`);
    return 1;
  }
  out(json ? JSON.stringify(status, null, 2) + "\n" : statusTable(status, Date.now(), columns));
  return 0;
}

/** `127.0.0.1:9900` is what the configuration has, so it is good here too. */
function withScheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${ANSWER_MS / 1000} s`;
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
  return /refused/i.test(text) ? "connection refused: no node has its admin.bind there" : text.trim();
}

function hint(status: number): string {
  return status === 401 ? ": a token is needed" : "";
}

/** Only the shape that tells Tandem from something else: the fields are this version's own. */
function parseStatus(text: string): NodeStatus | null {
  try {
    const status: Partial<NodeStatus> | null = JSON.parse(text);
    const known = Array.isArray(status?.pools) && Array.isArray(status.listeners) &&
      Array.isArray(status.workers) && typeof status.node === "string";
    return known ? status as NodeStatus : null;
  } catch {
    return null;
  }
}
