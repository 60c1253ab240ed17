/** What a look at the machine has found, and how it is shown. Pure. */
import type { Paint } from "../paint.ts";

export type Level = "ok" | "warning" | "problem";

export interface Finding {
  readonly level: Level;
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly text: string;
  /** What to do about it; absent: nothing. */
  readonly fix?: string;
}

export function ok(about: string, text: string): Finding {
  return { level: "ok", about, text };
}

/** It works, and may not always. */
export function warning(about: string, text: string, fix: string): Finding {
  return { level: "warning", about, text, fix };
}

/** It does not work. */
export function problem(about: string, text: string, fix: string): Finding {
  return { level: "problem", about, text, fix };
}

const COLOURS = { ok: "green", warning: "yellow", problem: "red" } as const;
const ABOUT_WIDTH = 14;

/** A line or two for each, and one that counts. */
export function findingsTable(findings: readonly Finding[], paint: Paint): string {
  const lines = findings.map(({ level, about, text, fix }) => {
    const head = `${paint(COLOURS[level], level.padEnd(8))} ${about.padEnd(ABOUT_WIDTH)} ${text}\n`;
    return fix === undefined ? head : `${head}${" ".repeat(10 + ABOUT_WIDTH)}> ${fix}\n`;
  });
  const count = (level: Level) => findings.filter((one) => one.level === level).length;
  const counts = [[count("problem"), "problem"], [count("warning"), "warning"]] as const;
  const told = counts.map(([number, word]) => `${number} ${word}${number === 1 ? "" : "s"}`).join(", ");
  return `${lines.join("")}\n${told}\n`;
}
