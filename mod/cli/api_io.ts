/**
 * How a command reaches the API of a node: by the admin socket of this machine, which needs no token, or by an address.
 */
import type { ParseArgsOptionsConfig } from "node:util";
import { BAD, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { SOCKET_HELP, SOCKET_OPTIONS, socketOf } from "./socket_io.ts";

export const API_OPTIONS: ParseArgsOptionsConfig = {
  ...SOCKET_OPTIONS,
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
};

export const API_HELP = `${SOCKET_HELP}
      --url URL      ask this admin address instead, also of another machine
      --token TOKEN  for an address, where changes need it (default: $TANDEM_TOKEN)
      --json         the answer as JSON`;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api`. */
  readonly path: string;
  readonly body?: unknown;
  /** How long an answer may take. */
  readonly withinMs?: number;
}

/** What is wrong ends a sentence that begins with "Cannot". */
export type ApiAnswer = { readonly value: unknown } | { readonly problem: string };

/** A node that does not answer within this is as good as down for whoever asks. */
const ANSWER_MS = 10_000;

export async function callApi(invocation: Invocation, request: ApiRequest): Promise<ApiAnswer> {
  const { method, path, body, withinMs = ANSWER_MS } = request;
  const { url, token = Deno.env.get("TANDEM_TOKEN") } = invocation.values;
  const socket = url === undefined ? socketOf(invocation) : null;
  if (socket !== null && "problem" in socket) return { problem: socket.problem };
  const where = socket === null ? String(url) : socket.path;
  const base = socket === null ? withScheme(String(url)) : "http://localhost";
  using client = socket === null
    ? Deno.createHttpClient({})
    : Deno.createHttpClient({ proxy: { transport: "unix", path: socket.path } });
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (socket === null && token) headers.authorization = `Bearer ${token}`;
  try {
    const response = await fetch(new URL(`/api${path}`, base), {
      client,
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    const value: unknown = await response.json();
    return response.ok ? { value } : { problem: refusal(value, response.status) };
  } catch (error) {
    return { problem: `Cannot ask the node at ${where}: ${reasonOf(error, withinMs)}` };
  }
}

/** Has the node do something; `done` is said when it did. The answer is the exit code. */
export async function act(invocation: Invocation, request: ApiRequest, done: string): Promise<number> {
  const answer = await callApi(invocation, request);
  if ("problem" in answer) return complain(answer.problem);
  if (invocation.values.json === true) return showJson(answer.value);
  for (const warning of warningsOf(answer.value)) writeErr(`warning: ${warning}\n`);
  writeOut(`${done}\n`);
  return GOOD;
}

export function showJson(value: unknown): number {
  writeOut(JSON.stringify(value, null, 2) + "\n");
  return GOOD;
}

export function complain(problem: string): number {
  writeErr(`${problem}\n`);
  return BAD;
}

/** `127.0.0.1:9900` is what the configuration has, so it is good here too. */
export function withScheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
}

function warningsOf(value: unknown): readonly string[] {
  return (value as { readonly warnings?: readonly string[] }).warnings ?? [];
}

function refusal(value: unknown, status: number): string {
  const { error = `it answers ${status}` } = (value ?? {}) as { readonly error?: string };
  return error.includes("\n") ? `Cannot do it:\n${error}` : `Cannot do it as ${error}`;
}

function reasonOf(error: unknown, withinMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${withinMs / 1000} s`;
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`.trim();
  if (/permission denied/i.test(text)) {
    return "this user may not use its socket, which is for its owner and group";
  }
  if (/no such file/i.test(text)) {
    return "there is no socket, so no node of that name runs here (--node, --socket)";
  }
  return /refused/i.test(text) ? "connection refused: nobody answers there" : text;
}
