/**
 * `tandem status` for a person: a line about the node, then a small table of each pool's servers. Pure.
 *
 * What comes from the node is printed without control characters, whoever answered.
 */
import type { IssuerStatus } from "../acme/issuer_status.ts";
import type { NameStatus } from "../discovery/name_book.ts";
import { tableText } from "./columns.ts";
import { type CertificateEntry, certificateList } from "../observe/certificate_list.ts";
import { expiresSoon } from "../observe/expiry.ts";
import type { LimitStatus, NodeStatus, PoolStatus, ServerStatus } from "../observe/status.ts";

/** The text, with its last newline. `now` is milliseconds since 1970; `columns` of the terminal, null: there is none. */
export function statusTable(status: NodeStatus, now: number, columns: number | null = null): string {
  const { node, version, state, generation, uptimeMs, workers } = status;
  const count = counted(workers.length, "worker");
  let text = `${node}: ${state}, generation ${generation}, up ${
    span(uptimeMs)
  }, ${count}, tandem ${version}\n`;
  text += lostLines(status);
  for (const { name, protocol, binds, counters } of status.listeners) {
    text += `listener ${name} (${protocol}) on ${binds.join(", ")}: ` +
      `${counted(counters.active, "connection")}, ${counted(counters.requests, "request")}` +
      `${counters.fallbacks > 0 ? `, ${counters.fallbacks} to a fallback` : ""}\n`;
  }
  for (const name of status.names) text += nameLine(name);
  for (const one of status.acme.names) text += certificateLine(one, now);
  for (const one of certificateList(status)) text += expiryLine(one, now);
  for (const limit of status.limits) text += limitLine(limit);
  for (const pool of status.pools) text += `\n${poolTable(pool, now, columns)}`;
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?");
}

const HEADINGS = ["server", "address", "state", "since", "weight", "active", "requests", "errors", "reason"];
/** Columns of numbers stand to the right. */
const RIGHT = new Set(["since", "weight", "active", "requests", "errors"]);

/** Nothing, where all went where it was meant to. */
function lostLines({ accessLinesDropped: lost, accessLogProblem }: NodeStatus): string {
  if (accessLogProblem !== "") {
    return `the access log cannot be written (${accessLogProblem.replaceAll("\n", " ")}): ${
      counted(lost, "line is lost", "lines are lost")
    }\n`;
  }
  return lost === 0 ? "" : `access log: ${counted(lost, "line was lost", "lines were lost")}\n`;
}

/** Only trouble takes more than the number: `name app.internal (A): 2 addresses, 5m old: no answer`. */
function nameLine({ dns, type, members, ageMs, reason }: NameStatus): string {
  const age = reason === "" || ageMs === null ? "" : `, ${span(ageMs)} old`;
  const trouble = reason === "" ? "" : `: ${reason.replaceAll("\n", " ")}`;
  const kind = type === "host" ? "A and AAAA" : type;
  return `name ${dns} (${kind}): ${counted(members.length, "address", "addresses")}${age}${trouble}\n`;
}

/** `certificate shop.test (acme): issued, expires in 59d3h, next attempt in 29d3h`. */
function certificateLine({ name, state, expiresAt, nextAt, lastError }: IssuerStatus, now: number): string {
  const left = (at: number) => at <= now ? "now" : `in ${span(at - now)}`;
  const life = (at: number) => at <= now ? "expired" : `expires ${left(at)}`;
  const expires = expiresAt === null ? "self-signed" : life(expiresAt);
  const trouble = lastError === "" ? "" : `: ${lastError.replaceAll("\n", " ")}`;
  return `certificate ${name} (acme): ${state}, ${expires}, next attempt ${left(nextAt)}${trouble}\n`;
}

/** Only of those of files, and in time: `certificate shop.test of web: expires in 19d3h`. */
function expiryLine({ name, state, expiresAt, listeners, uses }: CertificateEntry, now: number): string {
  if (state !== "file" || expiresAt === null || !expiresSoon(expiresAt, now)) return "";
  const life = expiresAt <= now ? "has expired" : `expires in ${span(expiresAt - now)}`;
  return `certificate ${name} of ${[...listeners, ...uses].join(", ")}: ${life}\n`;
}

function limitLine(
  { kind, name, dryRun, entries, passed, delayed, refused, wouldRefuse }: LimitStatus,
): string {
  const beyond = dryRun ? `${wouldRefuse} would be refused (dry run)` : `${refused} refused`;
  const waited = delayed > 0 ? `, ${delayed} delayed` : "";
  return `limit ${kind} ${name}: ${counted(entries, "key")}, ${passed} passed${waited}, ${beyond}\n`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function poolTable(
  { name, balance, queued, breaker, sessions, servers }: PoolStatus,
  now: number,
  columns: number | null,
): string {
  if (servers.length === 0) return `pool ${name} (${balance}): no servers\n`;
  const waiting = queued > 0 ? `, ${queued} waiting` : "";
  const spared = breaker === undefined || breaker.state === "closed"
    ? ""
    : `, breaker ${breaker.state === "open" ? "open" : "half open"}`;
  const kept = sessions?.entries == null ? "" : `, ${counted(sessions.entries, "session")}`;
  const rows = servers.map((server) => serverRow(server, now));
  const table = tableText(HEADINGS, rows, { right: RIGHT, columns });
  return `pool ${name} (${balance}${waiting}${spared}${kept})\n${table}`;
}

function serverRow(server: ServerStatus, now: number): string[] {
  const { counters } = server;
  const errors = counters.connectErrors + counters.connectTimeouts + counters.emptyReplies + counters.resets +
    counters.badResponses + counters.responseTimeouts;
  return [
    server.name + (server.backup ? " (backup)" : ""),
    server.address,
    server.admin === "ready" ? server.state : `${server.state}, ${server.admin}`,
    span(now - server.since),
    String(Math.round(server.weight * 100) / 100),
    String(server.active),
    String(counters.requests),
    String(errors),
    server.reason.replaceAll("\n", " "),
  ];
}

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000]] as const;

/** The largest two units of a span of time: `3h12m`, `45s`. */
export function span(ms: number): string {
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first < 0) return "0s";
  let rest = ms;
  return UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count}${unit}` : "";
  }).join("");
}
