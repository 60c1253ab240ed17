/**
 * What a balancer tells the one that takes over from it on the same machine, in named sections of one JSON text.
 *
 * A feature that has something to carry is a `Section` in the list that the control thread makes. The two balancers may
 * differ in version: a section that only one of them knows is left out, and what a section does not understand it skips.
 * Pure: knows no link and no process.
 */
import { reasonOf } from "../base/reason.ts";

export interface Section {
  /** The same in all versions; what means something else gets another name. */
  readonly name: string;
  /** Plain data, which survives JSON. */
  take(): unknown;
  /** Believes nothing of `value`: it is another version's. Before any worker accepts. */
  give(value: unknown): void;
}

export function carry(sections: readonly Section[]): string {
  return JSON.stringify(Object.fromEntries(sections.map((section) => [section.name, section.take()])));
}

/** Hands each section what was carried for it. The answer is what could not be taken, for the log. */
export function receive(sections: readonly Section[], text: string): string[] {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return ["it is no JSON"];
  }
  if (typeof values !== "object" || values === null) return ["it is no object"];
  const problems: string[] = [];
  for (const section of sections) {
    if (!Object.hasOwn(values, section.name)) continue;
    try {
      section.give((values as Record<string, unknown>)[section.name]);
    } catch (error) {
      problems.push(`${section.name}: ${reasonOf(error)}`);
    }
  }
  return problems;
}
