/**
 * The lines that header rules add to a head: those without variables are ready bytes, so that a request costs a
 * copy. A value never brings a control character into a head. Pure.
 */
import type { HeaderRules } from "../config/snapshot.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import { fillText, type Keeper, type Text } from "./kept.ts";
import { constantOf, type Scope, templateOf } from "./template.ts";
import type { AnswerSource } from "./variables.ts";

interface Line {
  /** `Name: ` */
  readonly start: Uint8Array;
  readonly text: Text;
}

export class AddedLines {
  readonly #constant: Uint8Array;
  readonly #lines: readonly Line[];
  /** The texts of `#lines`, until the next `prepare`; empty: the line is left out. */
  readonly #texts: string[] = [];

  constructor(rules: readonly HeaderRules[], scope: Scope, keeper: Keeper) {
    let constant = "";
    const lines: Line[] = [];
    for (const [name, text] of linesLeft(rules)) {
      const template = templateOf(text, scope);
      const fixed = constantOf(template);
      if (fixed === null) lines.push({ start: fromLatin1(`${name}: `), text: keeper.text(template) });
      else if (fixed !== "") constant += `${name}: ${fixed}\r\n`;
    }
    this.#constant = fromLatin1(constant);
    this.#lines = lines;
  }

  /** Makes the texts; returns the room that the lines need. */
  prepare(kept: readonly string[], answer: AnswerSource | null): number {
    let size = this.#constant.length;
    for (let at = 0; at < this.#lines.length; at++) {
      const { start, text } = this.#lines[at]!;
      const value = this.#texts[at] = fillText(text, kept, answer);
      size += start.length + value.length + 2;
    }
    return size;
  }

  /** Writes the lines that were prepared; returns the offset behind them. */
  write(out: Uint8Array, at: number): number {
    at = writeBytes(out, at, this.#constant);
    for (let line = 0; line < this.#lines.length; line++) {
      const text = this.#texts[line]!;
      if (text === "") continue;
      at = writeBytes(out, at, this.#lines[line]!.start);
      at = writeValue(out, at, text);
      out[at++] = 0x0d;
      out[at++] = 0x0a;
    }
    return at;
  }

  /** The same as text. */
  text(kept: readonly string[], answer: AnswerSource): string {
    const out = new Uint8Array(this.prepare(kept, answer));
    return latin1(out, 0, this.write(out, 0));
  }
}

/** A value as a field can hold it: a control character becomes a space, what is no byte a question mark. */
export function fieldText(value: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, " ").replace(/[\u0100-\uffff]/g, "?");
}

/** Name and text of the lines that are left when every rule has been applied, in order. */
function linesLeft(rules: readonly HeaderRules[]): readonly (readonly [name: string, text: string])[] {
  let lines: (readonly [string, string])[] = [];
  for (const { remove, set, add } of rules) {
    for (const removed of [...remove, ...set.map(([name]) => name.toLowerCase())]) {
      lines = lines.filter(([name]) => !isNamed(name.toLowerCase(), removed));
    }
    lines.push(...set, ...add);
  }
  return lines;
}

function isNamed(name: string, rule: string): boolean {
  return rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : name === rule;
}

function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
  return at;
}

function writeValue(out: Uint8Array, at: number, value: string): number {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    out[at++] = code > 0xff ? 0x3f : code === 0x09 || code >= 0x20 && code !== 0x7f ? code : 0x20;
  }
  return at;
}
