/**
 * The schema of limits: what is counted, by what, and what happens beyond. Pure.
 */
import { z } from "zod";
import { flag, integer, name, off, oneOrMore, rate, size } from "./fields.ts";
import type { KeySource } from "./guard_snapshot.ts";

/** Entries of the largest table: 170 MB. */
const MAX_ENTRIES = 4 * 1024 * 1024;

const KEY = /^(?:address|host|path|route|(?:header|cookie|query):.{1,256})$/;

const keySource = z.string()
  .regex(KEY, "must be address, host, path, route, header:NAME, cookie:NAME or query:NAME")
  .transform((text): KeySource => {
    const [kind = ""] = text.split(":");
    const named = text.slice(kind.length + 1);
    return { kind, name: kind === "header" ? named.toLowerCase() : named } as KeySource;
  });

/** What limits of requests have in common. */
const shared = {
  name: name().optional().describe(
    "Limits of one name share what they count, wherever they stand. Without: each counts for itself.",
  ),
  key: oneOrMore(keySource).prefault("address").describe(
    "What is counted by: `address`, `host`, `path`, `route`, `header:NAME`, `cookie:NAME`, `query:NAME`; of a list all together. A request without one of them is not counted.",
  ),
  // A client with IPv6 mostly has all of a /64.
  mask: z.strictObject({
    ipv4: integer(1, 32).prefault(32).describe("Of an IPv4 address."),
    ipv6: integer(1, 128).prefault(64).describe("Of an IPv6 address."),
  }).prefault({}).describe("Bits of an address that count."),
  size: size(8, MAX_ENTRIES).prefault("100k")
    .describe("Most keys that are remembered; then the oldest are forgotten."),
  status: integer(400, 599).prefault(429).describe("Status of what is refused."),
  dryRun: flag().prefault(false).describe("Only count what would be refused, and let it through."),
};

const rateLimit = z.strictObject({
  rate: rate().describe("Requests a second, minute, hour or day: `10/s`, `100/m`, `1000/h`, `5000/d`."),
  burst: integer(0, 1_000_000).prefault(0).describe("So many may come at once beyond that."),
  delay: z.union([flag(), integer(0, 1_000_000)]).prefault(false)
    .transform((value) => value === false ? null : value === true ? 0 : value)
    .describe(
      "`true`: those of the burst wait their turn; a number: after so many of them. `false`: they pass at once.",
    ),
  ...shared,
});

const concurrencyLimit = z.strictObject({
  requests: integer(1, 1_000_000).describe("Most requests under way at a time."),
  ...shared,
});

/** Of connections nothing is known but their address. */
const { name: limitName, mask, size: tableSize, dryRun } = shared;

export const connectionLimitSetting = z.strictObject({
  connections: integer(1, 1_000_000).describe("Most connections at a time."),
  name: limitName,
  mask,
  size: tableSize,
  dryRun,
}).optional().describe(
  "How many connections a client may have; those of `trustedProxies` are not counted. Others are closed at once.",
);

export const rateLimitSetting = z.union([off(), oneOrMore(rateLimit)]).optional().describe(
  "How often requests may come, one limit or a list: all must allow a request. A route's come after the listener's; " +
    "`false`: none of them.",
);

export const concurrencyLimitSetting = z.union([off(), oneOrMore(concurrencyLimit)]).optional().describe(
  "How many requests may be under way at a time, one limit or a list. A route's come after the listener's; " +
    "`false`: none of them.",
);

export type LimitConfig = z.output<z.ZodObject<typeof shared>>;
export type RateLimitConfig = z.output<typeof rateLimit>;
export type ConcurrencyLimitConfig = z.output<typeof concurrencyLimit>;
export type ConnectionLimitConfig = NonNullable<z.output<typeof connectionLimitSetting>>;
