/** What a person is told when a node has not done, or not answered, what it was asked for. */
import { BAD, type Invocation, writeErr, writeOut } from "./command.ts";

/** On standard error, or as JSON where that is wanted. */
export function complain(problem: string, invocation?: Invocation): number {
  if (invocation?.values.json === true) writeOut(JSON.stringify({ error: problem }, null, 2) + "\n");
  else writeErr(`${problem}\n`);
  return BAD;
}

/** `error`: what a node has answered instead of doing it. */
export function refused(error: string): string {
  return error.includes("\n") ? `Cannot do it:\n${error}` : `Cannot do it as ${error}`;
}

/** Why a node has not answered, by its socket or by an address. */
export function whyUnanswered(error: unknown, withinMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${withinMs / 1000} s`;
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`.trim();
  if (/permission denied/i.test(text)) {
    return "this user may not use its socket, which is for its owner and group";
  }
  if (/no such file/i.test(text)) {
    return "there is no socket, so no node of that name runs here (--node, TANDEM_NODE, --socket)";
  }
  return /refused/i.test(text) ? "connection refused: nobody answers there" : text;
}
