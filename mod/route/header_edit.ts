/**
 * The header rules of one side of a route, compiled: what happens to a field that is there, and lines to be added.
 *
 * Rules apply in the order listener, route, and in each remove, replace, set, add; all of that is worked out when
 * the configuration is read. `prepare` looks at a head and says how much room is needed; then `actions`, `changed`
 * and `write` are good until the next `prepare`: a worker composes one head at a time. Pure.
 */
import type { HeaderRules, ResponseRules } from "../config/snapshot.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import { type Head, MAX_FIELDS } from "../http1/head.ts";
import { AddedLines, fieldText } from "./added_lines.ts";
import { Keeper } from "./kept.ts";
import { NameRules } from "./name_rules.ts";
import type { AnswerSource, RequestSource } from "./variables.ts";
import { type Change, valueChanges } from "./value_changes.ts";

/** The field stays as it is: what a look-up finds where there is no rule. */
export const KEEP = 0;
/** It is left out. From 2 on it is changed. */
export const DROP = 1;
const FIRST_CHANGE = 2;

const actions = new Uint8Array(MAX_FIELDS);
const changed: string[] = [];

export class HeaderEdit {
  /** By field of the head that was prepared: `KEEP`, `DROP`, or more: its value is in `changed`. */
  readonly actions = actions;
  readonly changed: readonly string[] = changed;
  readonly #keeper = new Keeper();
  readonly #names: NameRules;
  readonly #changes: readonly Change[];
  readonly #lines: AddedLines;
  /** Of the request under way, where nobody else keeps them. */
  readonly #kept: string[] = [];

  /** `answers`: the rules are for responses. */
  constructor(rules: readonly (HeaderRules | ResponseRules)[], answers: boolean) {
    const scope = { answers, groups: 0, placeholders: false };
    this.#lines = new AddedLines(rules, scope, this.#keeper);
    const changes = valueChanges(rules, scope, this.#keeper);
    this.#changes = [...changes.values()];
    const byName = new Map([...changes.keys()].map((name, at) => [name, FIRST_CHANGE + at]));
    for (const { remove, set } of rules) {
      for (const name of [...remove, ...set.map(([name]) => name.toLowerCase())]) byName.set(name, DROP);
    }
    this.#names = new NameRules(byName);
  }

  /** Reads what answers will need of the request. */
  keep(source: RequestSource): readonly string[] {
    const kept: string[] = [];
    this.#keeper.read(source, kept);
    return kept;
  }

  /** Prepares for the head of a request. The bytes that are needed beyond those of the head. */
  prepareRequest(head: Head, bytes: Uint8Array, source: RequestSource): number {
    this.#keeper.read(source, this.#kept);
    return this.prepare(head, bytes, this.#kept, null);
  }

  /** The same for an answer, with the values that `keep` gave. */
  prepare(head: Head, bytes: Uint8Array, kept: readonly string[], answer: AnswerSource | null): number {
    let room = this.#lines.prepare(kept, answer);
    for (let field = 0; field < head.count; field++) {
      const action = this.#names.find(bytes, head.nameStart(field), head.nameEnd(field));
      actions[field] = action;
      if (action < FIRST_CHANGE) continue;
      const value = latin1(bytes, head.valueStart(field), head.valueEnd(field));
      const text = fieldText(this.#changes[action - FIRST_CHANGE]!(value, kept, answer));
      if (text === value) actions[field] = KEEP;
      changed[field] = text;
      room += text.length;
    }
    return room;
  }

  /** Writes the added lines; returns the offset behind them. */
  write(out: Uint8Array, at: number): number {
    return this.#lines.write(out, at);
  }

  /** A head of our own with what is removed, set and added; what it says of framing is never touched. ASCII. */
  amend(head: string, kept: readonly string[], answer: AnswerSource): string {
    const [first = "", ...fields] = head.slice(0, -4).split("\r\n");
    const left = fields.filter((field) => !this.dropsName(field.slice(0, field.indexOf(":"))));
    const added = this.#lines.text(kept, answer).replace(/[\x80-\xff]/g, "?");
    return `${[first, ...left].map((line) => `${line}\r\n`).join("")}${added}\r\n`;
  }

  /** True when fields of this name are left out. */
  dropsName(name: string): boolean {
    const bytes = fromLatin1(name);
    return !FRAMING.test(name) && this.#names.find(bytes, 0, bytes.length) === DROP;
  }
}

/** What our own heads say of the connection and of how the body is to be read; with another `Vary` both count. */
const FRAMING = /^(?:content-(?:length|encoding|range)|transfer-encoding|connection|vary)$/i;
