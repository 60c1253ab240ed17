/**
 * `tandem status --watch`: what is written for each answer and for each that does not come. Pure.
 *
 * A terminal is cleared and drawn anew; anything else, a file or a pipe, gets one block after another, each with its
 * time; programs get one JSON document a line. A node that does not answer is a state to be shown like any other:
 * since when, and why.
 */
import { fitRows } from "./fit.ts";

export type Form = "screen" | "blocks" | "lines";

/** One answer as `status` prints it, or what it complains of. */
export type Answer = { readonly text: string } | { readonly problem: string };

/** To the upper left corner, then everything from there on is gone. */
const CLEAR = "\x1b[H\x1b[2J";

export class Watch {
  readonly #form: Form;
  #missingSince: number | null = null;

  constructor(form: Form) {
    this.#form = form;
  }

  /** What is to be written at `now`, milliseconds since 1970. `rows` of the terminal; null: there is none. */
  show(answer: Answer, now: number, rows: number | null = null): string {
    const missing = "problem" in answer;
    this.#missingSince = missing ? this.#missingSince ?? now : null;
    const text = missing ? this.#complaint(answer.problem, now) : answer.text;
    switch (this.#form) {
      case "screen":
        return CLEAR + fitRows(`${time(now)}, every second; Ctrl-C ends\n\n${text}`, rows);
      case "blocks":
        return `${time(now)}\n${text}\n`;
      case "lines":
        return missing ? text : `${JSON.stringify(JSON.parse(text))}\n`;
    }
  }

  #complaint(problem: string, now: number): string {
    const since = this.#missingSince!;
    const reason = problem.trim();
    if (this.#form === "lines") {
      return `${JSON.stringify({ error: reason, since: new Date(since).toISOString() })}\n`;
    }
    const seconds = Math.round((now - since) / 1000);
    return `No answer since ${time(since)} (${seconds} s): ${reason}\n`;
  }
}

/** The wall's clock, with the day: a watch is left running. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace(/\..*/, " UTC");
}
