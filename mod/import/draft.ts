/**
 * The text of a `tandem.yaml` that is being made: fields in the order in which they were given, and before them a comment
 * for each line of the source that has no equivalent. Pure.
 */
import type { Place } from "./keepalived_lines.ts";
import type { Statement } from "./keepalived_text.ts";

/** A list item or a map entry with its comments. */
export class Draft {
  readonly #fields = new Map<string, string>();
  readonly #notes: { readonly place: Place; readonly text: string }[] = [];

  /** `value` is YAML, on one line. */
  set(key: string, value: string): void {
    this.#fields.set(key, value);
  }

  get(key: string): string | undefined {
    return this.#fields.get(key);
  }

  /** A statement, with all in it, has no equivalent, for this reason. */
  refuse(statement: Statement, reason: string): void {
    this.note(statement.place, `${statement.text}: ${reason}`);
    for (const inner of allIn(statement.block ?? [])) this.note(inner.place, inner.text);
  }

  note(place: Place, text: string): void {
    // A line of its own, whatever the source holds.
    // deno-lint-ignore no-control-regex -- control characters are what is removed
    this.#notes.push({ place, text: text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?") });
  }

  comments(indent: string): string[] {
    return this.#notes.toSorted((one, other) => one.place.at - other.place.at)
      .map(({ place, text }) => `${indent}# ${place.label}: ${text}`);
  }

  /** The fields as the lines of a map; `first` stands before the first one. */
  lines(indent: string, first = indent): string[] {
    const fields = [...this.#fields].map(([key, value], at) =>
      `${at === 0 ? first : indent}${key}: ${value}`
    );
    return [...this.comments(first.match(/^ */)![0]), ...fields];
  }
}

function allIn(statements: readonly Statement[]): Statement[] {
  return statements.flatMap((one) => [one, ...allIn(one.block ?? [])]);
}

/** A text as YAML that cannot be taken for anything else, nor for a reference to the environment. */
export function quoted(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9_.-]*$/.test(text) &&
    !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return plain ? text : JSON.stringify(text.replaceAll("${", () => "$${"));
}

export function list(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}

export function map(fields: readonly (readonly [string, string])[]): string {
  return `{ ${fields.map(([key, value]) => `${key}: ${value}`).join(", ")} }`;
}

/** What a name of Tandem may be made of. */
export function nameOf(text: string): string {
  return text.replace(/[^A-Za-z0-9._:-]/g, "-").replace(/^[^A-Za-z0-9_]/, "_").slice(0, 100) || "_";
}

/** Seconds, which may have a fraction, as a duration; null: it is no number. */
export function duration(seconds: string | undefined): string | null {
  const value = Number(seconds);
  if (seconds === undefined || !Number.isFinite(value) || value < 0) return null;
  const ms = Math.round(value * 1000);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** A whole number within limits, as text; null: it is none. */
export function whole(text: string | undefined, from: number, to: number): string | null {
  return text !== undefined && /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to
    ? String(Number(text))
    : null;
}
