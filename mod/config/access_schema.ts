/**
 * The schema of access by address. Pure.
 */
import { z } from "zod";
import { blocks, off, oneOrMore } from "./fields.ts";
import type { AccessSnapshot } from "./guard_snapshot.ts";

const list = oneOrMore(blocks()).default([]).transform((items) => items.flat());

const settings = z.strictObject({
  allow: list.describe("Blocks of addresses that may come in, or `all`; one or a list."),
  deny: list.describe("Blocks of addresses that may not, or `all`; one or a list."),
}).refine(
  ({ allow, deny }) => allow.length + deny.length > 0,
  // Else it would be told as well of what is called wrongly.
  { error: "must have allow or deny", when: ({ issues }) => issues.length === 0 },
).transform((access): AccessSnapshot => access);

export const accessSetting = z.union([off(), settings]).optional().describe(
  "Who may come in, by address: the narrowest block that holds it decides; in none it is denied if there is " +
    "`allow`. A route asks for its own after the listener's, with `false` for none of them.",
);
