/** What the node says of its access log. Pure. */
import type { NodeStatus } from "../../observe/status.ts";
import { type Finding, problem, warning } from "./finding.ts";

/** Nothing, where all lines went where they were meant to. */
export function accessLogFindings(
  { accessLinesDropped: lost, accessLogProblem }: Pick<
    NodeStatus,
    "accessLinesDropped" | "accessLogProblem"
  >,
): Finding[] {
  if (accessLogProblem !== "") {
    const text = `it cannot be written: ${accessLogProblem.replaceAll("\n", " ")}; ${lost} lines are lost`;
    return [problem("access log", text, "make room, or see to its permissions; it goes on by itself")];
  }
  if (lost === 0) return [];
  const text = `${lost} lines were lost since the start, as they could not be written fast enough or at all`;
  return [warning("access log", text, "give it a faster disk or reader, or log only errors")];
}
