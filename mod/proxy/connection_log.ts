/**
 * What is told of a connection that is no request, or of a client of udp, when it has ended: a line of the access log, and
 * the span of what is sampled.
 *
 * Nothing is passed on of a trace, so it is here that one begins: while a connection lasts tracing costs it nothing.
 */
import { plainAddress } from "../http/forwarded.ts";
import type { TraceContext } from "../http/trace_context.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState, LiveListener } from "./environment.ts";
import type { Record } from "./record.ts";
import type { StageOwner } from "./stage.ts";

/**
 * Logs it where its listener is logged. `serverName`: what the client asked for in TLS, or empty; `headMs`: how long its
 * first bytes took to come, -1: they were not waited for.
 */
export function logConnection(
  { recorder, environment }: Pick<StageOwner, "recorder" | "environment">,
  { live }: ListenerState,
  client: Pick<Stream, "remoteHost" | "remotePort" | "tls">,
  record: Record,
  now: number,
  serverName: string,
  headMs = -1,
): void {
  const trace = sampled(live, recorder.trace);
  if (!live.logged && trace === null) return;
  const { protocol, name } = live.snapshot;
  recorder.setConnection(protocol === "udp" ? "udp" : "tcp", serverName, trace);
  const access = recorder.record;
  access.headMs = headMs;
  record.fill(access, environment, now);
  access.listener = name;
  access.route = record.route;
  access.clientHost = plainAddress(client.remoteHost);
  access.clientPort = client.remotePort;
  access.tls = client.tls ?? null;
  if (live.logged) environment.logAccess(access);
  if (trace !== null) environment.logSpan(access, trace);
}

/** Null: there is no span of it. A connection of an http listener that came to no request has none. */
function sampled({ traced, snapshot }: LiveListener, trace: TraceContext): TraceContext | null {
  if (traced === null || snapshot.protocol === "http") return null;
  return traced.tracing.beginAlone(trace, traced.writeHex) ? trace : null;
}
