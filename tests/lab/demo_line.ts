/**
 * What the demo of a pair says: a line a second, and one for everything that changed. Pure: knows no lab and no clock.
 */
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import type { NodeName } from "./pair.ts";

/** What the client has seen in the last second, and at worst since the last key. */
export interface ClientReport {
  /** Answers of the last second, by the node that they came through. */
  readonly answered: Readonly<Record<string, number>>;
  /** Since the last key. */
  readonly failed: number;
  /** The longest time without an answer since the last key, the one that still lasts included. */
  readonly longestGapMs: number;
  /** Whose hardware address the client's neighbour table has for the address; null: nobody's. */
  readonly hardware: string | null;
}

/** A node's own word; null: it gives none. */
export type Word = Pick<InstanceStatus, "state" | "why" | "health" | "healthReason"> | null;
export type Words = Readonly<Record<NodeName, Word>>;

const NODES: readonly NodeName[] = ["lb1", "lb2"];
/** Of the longest word but one: `initialize` is rare. */
const STATE_WIDTH = 6;

/** Who holds the address in the client's eyes, how it fared, and what both nodes are. */
export function liveLine(
  { hardware, answered, failed, longestGapMs }: ClientReport,
  nodes: Readonly<Record<string, NodeName>>,
  words: Words,
): string {
  const holder = hardware === null ? "nobody" : nodes[hardware] ?? "a stranger";
  const answering = Object.keys(answered).sort().join("+") || "nobody";
  const rate = Object.values(answered).reduce((sum, count) => sum + count, 0);
  return [
    `held by ${holder.padEnd(6)}`,
    `answers ${answering.padEnd(7)}`,
    `${String(rate).padStart(2)}/s`,
    `${String(failed).padStart(3)} failed`,
    `gap ≤ ${String(Math.round(longestGapMs)).padStart(4)} ms `,
    ...NODES.map((node) => `${node} ${(words[node]?.state ?? "silent").padEnd(STATE_WIDTH)}`),
  ].join("  ").trimEnd();
}

/** A line for every node whose state, or the reason for it, is another one than before. */
export function changes(before: Words, now: Words): string[] {
  return NODES.filter((node) => sentence(node, before[node]) !== sentence(node, now[node]))
    .map((node) => sentence(node, now[node]));
}

/** The one that says that it is active; null: none does. */
export function activeOf(words: Words): NodeName | null {
  return NODES.find((node) => words[node]?.state === "active") ?? null;
}

function sentence(node: NodeName, word: Word): string {
  if (word === null) return `  ${node} says nothing`;
  const unwell = word.health < 100 ? ` (health ${word.health}: ${word.healthReason})` : "";
  return `  ${node} is ${word.state}: ${word.why}${unwell}`;
}
