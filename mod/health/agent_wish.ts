/**
 * What the agent of a server wants of its traffic, in HAProxy's words: `up`, `down`, `failed`, `stopped`, `ready`,
 * `drain`, `maint`, `75%`, `maxconn:30`, apart by spaces, tabs or commas; behind `#` stands why. Pure.
 */
import type { AdminState } from "../base/slots.ts";

export interface AgentWish {
  /** Of the configured weight. */
  readonly percent: number;
  readonly admin: AdminState;
  /** Why the server is down; null: it is not, for the agent. */
  readonly down: string | null;
  /** Most requests or connections at a time, in the place of the configured number; 0: as configured. */
  readonly limit: number;
}

/** Of an agent that has not been heard. */
export const NO_WISH: AgentWish = { percent: 100, admin: "ready", down: null, limit: 0 };

/** Beyond it weights are no longer shares of each other; HAProxy's own bound is a weight of 256. */
const MAX_PERCENT = 25_600;
const MAX_LIMIT = 1_000_000;

/** What is wanted after a line; what it does not speak of stays, and words that nobody knows are passed over. */
export function heed(line: string, before: AgentWish): AgentWish {
  const [text = "", ...why] = line.split("#");
  let wish = before;
  for (const word of text.toLowerCase().split(/[\s,]+/)) {
    const [, percent] = /^([0-9]{1,9})%$/.exec(word) ?? [];
    const [, limit] = /^maxconn:([0-9]{1,9})$/.exec(word) ?? [];
    if (percent !== undefined) wish = { ...wish, percent: Math.min(MAX_PERCENT, Number(percent)) };
    else if (limit !== undefined) wish = { ...wish, limit: Math.min(MAX_LIMIT, Number(limit)) };
    else if (word === "ready" || word === "drain" || word === "maint") wish = { ...wish, admin: word };
    else if (word === "up") wish = { ...wish, down: null };
    else if (["down", "failed", "fail", "stopped"].includes(word)) {
      wish = { ...wish, down: [word, why.join("#").trim()].filter((part) => part !== "").join(": ") };
    }
  }
  return wish;
}

/** The wish in a few words; empty: there is none. */
export function wishWords({ percent, admin, down, limit }: AgentWish): string {
  return [
    ...(down === null ? [] : [down]),
    ...(admin === "ready" ? [] : [admin]),
    ...(percent === 100 ? [] : [`${percent}% of its weight`]),
    ...(limit === 0 ? [] : [`at most ${limit} at a time`]),
  ].join(", ");
}
