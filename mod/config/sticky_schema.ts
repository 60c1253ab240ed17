/**
 * The schema of the sessions of a pool: by a cookie, or by a table. What goes together is in `sticky_rules.ts`. Pure.
 */
import { z } from "zod";
import { choice, duration, flag, integer, line, oneOrMore, size, token } from "./fields.ts";
import type { LearnSource, StickKey } from "./sticky_snapshot.ts";

/** Entries of the largest table: 170 MB. */
const MAX_ENTRIES = 4 * 1024 * 1024;
/** A secret that can be guessed is none. */
const MIN_SECRET = 16;
/** What separates an id from dates and values, and a cookie from the next, must not be in it. */
const ID = /^[A-Za-z0-9._:@+=/-]{1,64}$/;

const BY = /^(?:sourceIp|sni|(?:header|cookie|query):.{1,256})$/;
const LEARN = /^(?:header|setCookie):.{1,256}$/;

const stickKey = z.string().regex(BY, "must be sourceIp, sni, header:NAME, cookie:NAME or query:NAME")
  .transform((text): StickKey => named(text) as StickKey);

const learnSource = z.string().regex(LEARN, "must be setCookie:NAME or header:NAME")
  .transform((text): LearnSource => named(text) as LearnSource);

function named(text: string): { kind: string; name: string } {
  const [kind = ""] = text.split(":");
  const name = text.slice(kind.length + 1);
  return { kind, name: kind === "header" ? name.toLowerCase() : name };
}

/** What stands in an attribute of a cookie. */
function attribute(hint: string) {
  return line(1, 253).regex(/^[^;,\s]+$/, hint);
}

/** The value of the cookie that stands for a server. */
export function serverId() {
  return z.string().regex(ID, "must be 1 to 64 letters, digits and . _ : @ + = / -");
}

export const StickySchema = z.strictObject({
  cookie: token("the name of a cookie").optional().describe(
    "Name of the cookie that tells the server of a session. Needed unless there is `by`.",
  ),
  mode: choice("insert", "prefix", "rewrite").prefault("insert").describe(
    "`insert`: a cookie of Tandem's; `prefix`, `rewrite`: one that the servers set, with the server's id before its value or in place of it.",
  ),
  indirect: flag().prefault(true).describe("Servers do not see the cookie. (insert)"),
  noCache: flag().prefault(true).describe(
    "Answers that give out the cookie say `Cache-Control: private`. (insert)",
  ),
  preserve: flag().prefault(false).describe(
    "A cookie of this name that a server sets itself is left alone, as to end a session. (insert)",
  ),
  maxIdle: duration(1000).optional().describe(
    "The cookie is void when it was not used for so long. Without: no limit. (insert)",
  ),
  maxLife: duration(1000).optional().describe(
    "The cookie is void so long after it was given out first. Without: no limit. (insert)",
  ),
  domain: attribute("must be a domain").optional().describe("`Domain` of the cookie. (insert)"),
  path: attribute("must be a path").refine((path) => path.startsWith("/"), "must begin with a slash")
    .prefault("/").describe("`Path` of the cookie. (insert)"),
  secure: flag().prefault(false).describe("Browsers send the cookie over https only. (insert)"),
  httpOnly: flag().prefault(true).describe("Scripts in a page do not see the cookie. (insert)"),
  sameSite: choice("lax", "strict", "none").optional().describe("`SameSite` of the cookie. (insert)"),
  secret: line(MIN_SECRET).meta({ kind: "secret" }).optional().describe(
    `Secret of at least ${MIN_SECRET} characters that ids of servers are made with, the same on all nodes. Without: who knows a server's address can find out its id.`,
  ),
  by: oneOrMore(stickKey).optional().describe(
    "What a session is told by, in a table of Tandem's: `sourceIp`, `sni`, `header:NAME`, `cookie:NAME`, `query:NAME`. Of several, the first that is in the table.",
  ),
  mask: z.strictObject({
    ipv4: integer(1, 32).prefault(32).describe("Of an IPv4 address."),
    ipv6: integer(1, 128).prefault(128).describe("Of an IPv6 address."),
  }).prefault({}).describe("Bits of a source address that count. (by: sourceIp)"),
  ttl: duration(1000).prefault("30m").describe("How long a session is remembered after its last use. (by)"),
  size: size(8, MAX_ENTRIES).prefault("100k").describe(
    "Most sessions that are remembered; then the oldest are forgotten. (by)",
  ),
  learn: oneOrMore(learnSource).optional().describe(
    "What of answers is remembered: `setCookie:NAME`, `header:NAME`. (by)",
  ),
  storeRequest: flag().optional().describe(
    "Whether a request that is not in the table is remembered by what it shows. Without: yes, unless there is `learn`. (by)",
  ),
  redispatch: flag().prefault(true).describe(
    "A request that cannot connect to the server of its session goes to another, and its session with it.",
  ),
});

export type StickyConfig = z.output<typeof StickySchema>;
