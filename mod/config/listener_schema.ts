/**
 * The schema of a listener. Pure.
 */
import { z } from "zod";
import { CompressSchema } from "./compress_schema.ts";
import {
  acrossIssue,
  bindAddresses,
  choice,
  cidr,
  duration,
  flag,
  integer,
  name,
  oneOrMore,
  size,
  token,
} from "./fields.ts";
import { requestTimeout } from "./failure_schema.ts";
import { guardFields, NO_GUARDS } from "./guard_schema.ts";
import { errorPages, interceptErrors } from "./error_page_schema.ts";
import { HeadersSchema } from "./header_schema.ts";
import { NO_CONDITIONS } from "./match_schema.ts";
import { connectionLimitSetting } from "./limit_schema.ts";
import { type RouteConfig, RouteSchema } from "./route_schema.ts";
import { KernelListenerSchema } from "./kernel_schema.ts";
import { HstsSchema, TlsSchema } from "./tls_schema.ts";
import { UdpSchema } from "./udp_schema.ts";

/** Where `redirectHttps: true` leads. */
const HTTPS_PORT = 443;

const timeouts = z.strictObject({
  head: duration().prefault("10s").describe(
    "Longest wait for a whole request head; for a PROXY header; for a ClientHello that a route needs; for a TLS handshake.",
  ),
  body: duration().prefault("30s").describe("Longest wait for more of a request body."),
  request: requestTimeout,
  keepAlive: duration().prefault("60s").describe("How long an idle connection is kept for another request."),
  idle: duration().prefault("5m").describe("How long a connection may be silent in both directions. (tcp)"),
  tunnel: duration().prefault("1h").describe("The same for a connection that became a tunnel (WebSocket)."),
});

const limits = z.strictObject({
  // nginx: 4 × 8 KiB, HAProxy: 16 KiB; below 1 KiB browsers fail.
  head: size(1024, 1024 * 1024).prefault("16k").describe("Largest request head (431 above it)."),
  headers: integer(1, 1000).prefault(100).describe("Most header fields in a request (431 above it)."),
  body: size().prefault(0).describe("Largest request body (413 above it); 0: no limit."),
  bodyRate: size().prefault(0).describe(
    "Least bytes of a request body a second, over all and after the first `timeouts.body` (408 below it); 0: none.",
  ),
  connections: integer(1, 1_000_000).prefault(20_000).describe(
    "Most connections at a time, over all workers; clients of udp.",
  ),
});

export const ListenerSchema = z.strictObject({
  name: name().describe("Name in logs, metrics and overlays."),
  bind: oneOrMore(bindAddresses()).describe(
    "`ip:port`, `[v6]:port`, or `:port` for every address of both families; one or a list; in the kernel also a " +
      "range, as in `203.0.113.10:8000-8100`.",
  ),
  protocol: choice("http", "tcp", "udp").prefault("http").describe(
    "`http`, `tcp` or `udp`.",
  ),
  forward: choice("proxy", "nat", "dsr").prefault("proxy").describe(
    "`proxy`: Tandem accepts and connects. `nat` and `dsr`: the kernel forwards packets, and the load does not pass " +
      "through the process; `nat` rewrites addresses, with `dsr` (direct return) servers answer clients themselves. " +
      "(tcp, udp)",
  ),
  kernel: KernelListenerSchema.prefault({}).describe("Settings of `forward: nat` and `dsr`."),
  udp: UdpSchema.prefault({}).describe("Of a listener of UDP that is proxied."),
  trustedProxies: z.array(cidr()).prefault([]).describe(
    "Blocks whose `X-Forwarded-*` and `Forwarded` are believed, and with them the client's address; everyone else's " +
      "are replaced. (http)",
  ),
  clientAddress: token("a header name").transform((text) => text.toLowerCase()).optional().describe(
    "Header in which those tell the client's address, such as `X-Real-IP`. Without: `X-Forwarded-For`, or `Forwarded` " +
      "where there is none. (http)",
  ),
  proxyProtocol: z.strictObject({
    from: z.array(cidr()).min(1, "must name at least one block")
      .describe(
        "Blocks whose connections must begin with a PROXY header. Everyone else's are served without one.",
      ),
  }).optional().describe(
    "Reading the PROXY protocol (version 1 or 2) of proxies in front. Without: of none.",
  ),
  tls: TlsSchema.optional().describe("Terminate TLS. Without: connections are not encrypted."),
  hsts: HstsSchema.optional().describe(
    "Tell browsers to use nothing but https from now on: a time such as `365d`, or a map. (http with tls)",
  ),
  redirectHttps: z.union([flag(), integer(1, 65_535)]).optional().describe(
    "Send every request to the same place under https: `true`, or the port there. Instead of pool and routes. (http)",
  ),
  headers: HeadersSchema.optional().describe("What is changed of headers on every route. (http)"),
  errorPages,
  interceptErrors,
  compress: CompressSchema.optional().describe(
    "Compress answers for clients that accept it: `true`, or settings. Without: they leave as they come. (http)",
  ),
  ...guardFields,
  connectionLimit: connectionLimitSetting,
  timeouts: timeouts.prefault({}).describe("Time-outs towards clients."),
  limits: limits.prefault({}).describe("Limits towards clients."),
  pool: name().optional().describe("Short for one route that sends everything to this pool."),
  routes: z.array(RouteSchema).min(1, "must have at least one route").optional()
    .describe("Tried in order, the first match wins. On a tcp listener they match on `sni` and `alpn`."),
}).transform(({ pool, routes, redirectHttps, ...rest }, context) => {
  const port = redirectHttps === true ? HTTPS_PORT : redirectHttps;
  const redirects = typeof port === "number";
  const given = [pool !== undefined, routes !== undefined, redirects];
  if (given.filter(Boolean).length === 1) {
    const only = redirects ? { kind: "https", port } as const : { kind: "pool", pool: pool! } as const;
    return { ...rest, routes: routes ?? [routeOf(only)] };
  }
  const names = ["pool", "routes", "redirectHttps"].filter((_, at) => given[at]);
  const has = redirects ? names.join(" and ") : names.length === 0 ? "neither" : "both";
  context.addIssue(acrossIssue(
    redirects
      ? `cannot have redirectHttps beside pool or routes, and has ${has}`
      : `must have either pool or routes, and has ${has}`,
  ));
  return z.NEVER;
});

export type ListenerConfig = z.output<typeof ListenerSchema>;

/** Takes everything. */
function routeOf(action: RouteConfig["action"]): RouteConfig {
  return {
    match: NO_CONDITIONS,
    action,
    cache: undefined,
    compress: undefined,
    limits: undefined,
    timeouts: undefined,
    ...NO_GUARDS,
  };
}
