/** Talks of checks with servers whose answers are known, cut in every way that a network may cut them. */
import type { Talk, TalkTarget, Verdict } from "../../../mod/health/check_kind.ts";
import { CHECK_KINDS } from "../../../mod/health/kinds.ts";
import { fromLatin1, latin1 } from "../../../mod/http/grammar.ts";
import { assert, assertEquals } from "../../assert.ts";
import { checkOf } from "../check_of.ts";

/** Stands in what the probe says before what it says over TLS. */
export const OVER_TLS = "<TLS>";

const TARGET: TalkTarget = {
  ...{ host: "10.0.0.1", port: 8080, secure: false, http2: false, datagrams: false, random: 0.5 },
};

/** A talk of a check as it would stand in a configuration. */
export function talkOf(given: Readonly<Record<string, unknown>>, target: Partial<TalkTarget> = {}): Talk {
  const { type, settings } = checkOf(given);
  assert(type !== "agent");
  const talk = CHECK_KINDS[type].talk!(settings as never, { ...TARGET, ...target });
  assert(typeof talk !== "string", String(talk));
  return talk;
}

export interface Heard {
  /** What the probe said, at the beginning and after each answer, as latin-1. */
  readonly said: readonly string[];
  /** Null: it waits for more. */
  readonly verdict: Verdict | null;
}

/**
 * What comes of a server that says `answers` (latin-1), one after the other; the same however they are cut. `leaves`:
 * it closes the connection then.
 */
export function heard(
  given: Readonly<Record<string, unknown>>,
  answers: readonly string[],
  { leaves = false, ...target }: Partial<TalkTarget> & { leaves?: boolean } = {},
): Heard {
  const cuts: ((bytes: Uint8Array) => Uint8Array[])[] = [(bytes) => [bytes], (bytes) => byteByByte(bytes)];
  const longest = Math.max(...answers.map((answer) => answer.length), 0);
  for (let at = 1; at < longest; at++) cuts.push((bytes) => [bytes.slice(0, at), bytes.slice(at)]);
  const ways = cuts.map((cut) => listen(talkOf(given, target), answers.map(fromLatin1).map(cut), leaves));
  for (const way of ways) assertEquals(way, ways[0]);
  return ways[0]!;
}

function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

function listen(talk: Talk, answers: readonly Uint8Array[][], leaves: boolean): Heard {
  const said: string[] = [];
  let now = talk;
  let turn = now.begin();
  said.push(textOf(turn.send));
  for (const parts of answers) {
    let words = "";
    for (const part of parts) {
      if (turn.verdict !== undefined || part.length === 0) continue;
      turn = now.receive(part);
      words += textOf(turn.send);
      if (turn.overTls === undefined) continue;
      now = turn.overTls;
      turn = now.begin();
      words += OVER_TLS + textOf(turn.send);
    }
    said.push(words);
  }
  const last = leaves && turn.verdict === undefined ? now.end() : turn.verdict ?? null;
  return { said, verdict: last };
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : latin1(bytes, 0, bytes.length);
}

/** The verdict as one text: `good: reason`, `bad: reason`, or `waits`. */
export function verdictOf(...how: Parameters<typeof heard>): string {
  const { verdict } = heard(...how);
  return verdict === null ? "waits" : `${verdict.ok ? "good" : "bad"}: ${verdict.reason}`;
}
