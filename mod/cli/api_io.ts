/**
 * How a command reaches the API of a node: by the admin socket of this machine, which needs no token, or by an address;
 * and another node through it.
 */
import { reasonOf } from "../base/reason.ts";
import type { ParseArgsOptionsConfig } from "node:util";
import { BAD, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { wayTo } from "./node_way_io.ts";
import { complain, refused, whyUnanswered } from "./refusal.ts";
import { SOCKET_OPTIONS } from "./socket_io.ts";

export const API_OPTIONS: ParseArgsOptionsConfig = {
  ...SOCKET_OPTIONS,
  url: { type: "string" },
  token: { type: "string" },
  ca: { type: "string" },
  json: { type: "boolean" },
};

/** For commands that can be for both nodes. */
export const BOTH_OPTIONS: ParseArgsOptionsConfig = { ...API_OPTIONS, both: { type: "boolean" } };

export const API_HELP =
  `      --node NAME    the node (default: $TANDEM_NODE, else the host name); one that does not run on this machine, or
                     "peer" for the other one, is asked through the one that does
      --socket PATH  the admin socket of the node to ask (default: where a node of that name has it)
      --url URL      ask this admin address instead, also of another machine
      --token TOKEN  for an address, where changes need it (default: $TANDEM_TOKEN)
      --ca FILE      for an https address whose certificate an authority of these (PEM) has signed
      --json         the answer as JSON`;

export const BOTH_HELP =
  `      --both         every node of the pair; what each says or has done is told, and exit code 1 says that not all have
${API_HELP}`;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api`. */
  readonly path: string;
  readonly body?: unknown;
  /** How long an answer may take. */
  readonly withinMs?: number;
}

/** What one of several nodes has answered. */
export interface NodeAnswer {
  readonly node: string;
  readonly status: number;
  readonly answer: unknown;
}

/** What is wrong is a sentence that begins with "Cannot". `all`: several nodes were asked, and this is of each. */
export type ApiAnswer = ApiValue | { readonly problem: string };

export interface ApiValue {
  readonly value: unknown;
  readonly all?: readonly NodeAnswer[];
}

/** A node that does not answer within this is as good as down for whoever asks. One asks another for less. */
const ANSWER_MS = 12_000;

export async function callApi(invocation: Invocation, request: ApiRequest): Promise<ApiAnswer> {
  const { method, path, body, withinMs = ANSWER_MS } = request;
  const { token = Deno.env.get("TANDEM_TOKEN") } = invocation.values;
  const way = wayTo(invocation);
  if ("problem" in way) return { problem: way.problem };
  const where = way.socket ?? String(way.url);
  const target = new URL(`/api${path}`, way.socket === null ? withScheme(where) : "http://localhost");
  if (way.node !== null) target.searchParams.set("node", way.node);
  const trusted = trustedBy(invocation);
  if ("problem" in trusted) return trusted;
  using client = Deno.createHttpClient(
    way.socket === null ? trusted : { proxy: { transport: "unix", path: way.socket } },
  );
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (way.socket === null && token) headers.authorization = `Bearer ${token}`;
  try {
    const response = await fetch(target, {
      client,
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    const value: unknown = await response.json();
    const all = nodeAnswers(value);
    if (all !== null) return { value, all };
    return response.ok ? { value } : { problem: refusal(value, response.status) };
  } catch (error) {
    return { problem: `Cannot ask the node at ${where}: ${whyUnanswered(error, withinMs)}` };
  }
}

/** Authorities that are trusted beside the system's. */
export function trustedBy({ values }: Invocation): { caCerts?: string[] } | { problem: string } {
  if (values.ca === undefined) return {};
  try {
    return { caCerts: [Deno.readTextFileSync(String(values.ca))] };
  } catch (error) {
    return { problem: `Cannot read ${values.ca}: ${reasonOf(error)}` };
  }
}

/** Of each node that was asked; the only one has no name here. */
export function answersOf({ value, all }: ApiValue): readonly NodeAnswer[] {
  return all ?? [{ node: "", status: 200, answer: value }];
}

/** Has the node do something; `done` is said when it did. The answer is the exit code. */
export function act(invocation: Invocation, request: ApiRequest, done: string): Promise<number> {
  return tellEach(invocation, request, ({ node, answer }) => {
    const of = node === "" ? "" : `${node}: `;
    for (const warning of warningsOf(answer)) writeErr(`${of}warning: ${warning}\n`);
    const { count } = (answer ?? {}) as { readonly count?: number };
    return `${of}${done}${count === undefined ? "" : `: ${count}`}\n`;
  });
}

/** Reads something and shows it as `text` has it, of several nodes each below its name. The answer is the exit code. */
export function show(
  invocation: Invocation,
  path: string,
  text: (value: unknown) => string,
): Promise<number> {
  return tellEach(
    invocation,
    { method: "GET", path },
    ({ node, answer }) => heading(node) + text(answer),
  );
}

async function tellEach(
  invocation: Invocation,
  request: ApiRequest,
  text: (answer: NodeAnswer) => string,
): Promise<number> {
  const answer = await callApi(invocation, request);
  if ("problem" in answer) return complain(answer.problem, invocation);
  const each = answersOf(answer);
  if (invocation.values.json === true) showJson(answer.value);
  else {
    for (const one of each) {
      if (isGood(one)) writeOut(text(one));
      else complain(refusalOf(one));
    }
  }
  return each.every(isGood) ? GOOD : BAD;
}

/** Above what one of several nodes says. */
export function heading(node: string): string {
  return node === "" ? "" : `== ${node}\n`;
}

export function isGood({ status }: NodeAnswer): boolean {
  return status < 400;
}

/** Why one of several nodes has not done it. */
export function refusalOf({ node, status, answer }: NodeAnswer): string {
  return `${node}: ${refusal(answer, status)}`;
}

export function showJson(value: unknown): number {
  writeOut(JSON.stringify(value, null, 2) + "\n");
  return GOOD;
}

/** `127.0.0.1:9900` is what the configuration has, so it is good here too. */
export function withScheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
}

function warningsOf(value: unknown): readonly string[] {
  return (value as { readonly warnings?: readonly string[] }).warnings ?? [];
}

function nodeAnswers(value: unknown): readonly NodeAnswer[] | null {
  const { nodes } = (value ?? {}) as { readonly nodes?: readonly NodeAnswer[] };
  return Array.isArray(nodes) ? nodes : null;
}

function refusal(value: unknown, status: number): string {
  const { error = `it answers ${status}` } = (value ?? {}) as { readonly error?: string };
  return refused(error);
}
