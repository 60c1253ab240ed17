/**
 * Rules about TLS towards servers, and the files that it names. Pure.
 */
import { CHECK_KINDS } from "../health/kinds.ts";
import type { FileKind, NamedFiles } from "./named_files.ts";
import type { PoolConfig } from "./pool_schema.ts";
import type { Path } from "./problem.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RuleContext } from "./rules.ts";
import type { ServerTlsConfig } from "./server_tls_schema.ts";

/** What an http pool may agree on, by what it speaks to servers. */
const HTTP_PROTOCOLS = { "http/1.1": ["http/1.1", "http/1.0"], h2: ["h2"] } as const;
type Protocol = keyof typeof HTTP_PROTOCOLS;

export function checkServerTls(context: RuleContext, files: NamedFiles): void {
  const overHttp = new Set(
    context.config.listeners.filter(({ protocol }) => protocol === "http")
      .flatMap(({ routes }) => routes.flatMap(poolsOfRoute)),
  );
  for (const [name, pool] of Object.entries(context.config.pools)) {
    const path = ["pools", name];
    checkTls(context, files, [...path, "tls"], pool.tls, overHttp.has(name) ? pool.protocol : null);
    checkTls(context, files, [...path, "check", "tls"], pool.check?.tls ?? null, spokenByProbe(pool));
    checkHttp2(context, path, pool, overHttp.has(name));
    checkNames(context, path, pool);
  }
}

function spokenByProbe({ check, protocol }: PoolConfig): Protocol | null {
  const http2 = check === undefined ? undefined : CHECK_KINDS[check.type].http2;
  if (http2 === undefined) return null;
  return http2 === "always" ? "h2" : check?.port === undefined ? protocol : "http/1.1";
}

function checkTls(
  context: RuleContext,
  files: NamedFiles,
  path: Path,
  tls: ServerTlsConfig | null,
  spoken: Protocol | null,
): void {
  if (tls === null || !context.whole(path)) return;
  for (const [at, file] of (tls.ca ?? []).entries()) {
    const one = [...path, "ca", at];
    checkFile(context, files, context.given(one) ? one : [...path, "ca"], file, "authorities");
  }
  if (!tls.verify && tls.ca !== undefined) {
    context.warn([...path, "ca"], "has no effect without verify", "key");
  }
  const known: readonly string[] | null = spoken === null ? null : HTTP_PROTOCOLS[spoken];
  if (known !== null && tls.alpn?.some((protocol) => !known.includes(protocol)) === true) {
    context.error([...path, "alpn"], `must be ${spoken}, as that is what servers are spoken to in`);
  }
  if (tls.clientCertificate === undefined) return;
  const { cert, key } = tls.clientCertificate;
  const pair = [...path, "clientCertificate"];
  const texts = [
    checkFile(context, files, [...pair, "cert"], cert, "certificate"),
    checkFile(context, files, [...pair, "key"], key, "key"),
  ];
  if (texts[0] == null || texts[1] == null || files.belong(texts[0], texts[1])) return;
  context.error([...pair, "key"], `is not the key of the certificate in ${cert}: ${key}`);
}

function checkHttp2(context: RuleContext, path: Path, pool: PoolConfig, overHttp: boolean): void {
  if (pool.protocol !== "h2" || !context.whole([...path, "protocol"])) return;
  if (pool.proxyProtocol !== undefined) {
    context.error(
      [...path, "proxyProtocol"],
      "cannot be had with protocol: h2, as one connection carries the requests of many clients",
      "key",
    );
  }
  if (!overHttp) {
    context.warn([...path, "protocol"], "has no effect as no http listener uses the pool", "key");
  }
}

/** The text of a good file; null: it is not looked at, or is none. */
function checkFile(
  context: RuleContext,
  files: NamedFiles,
  path: Path,
  file: string,
  kind: FileKind,
): string | null {
  const read = files.read(file, kind);
  if (read === null) return null;
  if ("problem" in read) return context.error(path, read.problem), null;
  if (read.warning !== null) context.warn(path, read.warning);
  return read.text;
}

function checkNames(context: RuleContext, path: Path, { tls, check, servers }: PoolConfig): void {
  if (!context.whole([...path, "tls"]) || !context.whole([...path, "check"])) return;
  const named = tls ?? check?.tls ?? null;
  for (const [at, { serverName, source }] of servers.entries()) {
    const server = [...path, "servers", at];
    if (named === null && serverName !== undefined) {
      context.error([...server, "serverName"], "has no sense in a pool without tls", "key");
    }
    const srv = source.kind === "dns" && source.type === "SRV";
    if (srv && named?.verify === true && named.serverName === undefined && serverName === undefined) {
      context.error(server, "needs a serverName for tls, as the name of an SRV record is not that of a host");
    }
  }
}
