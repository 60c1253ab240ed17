/** Counts a finished request, and logs it where its listener's are. */
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import type { Stream } from "../net/stream.ts";
import type { AccessRecorder, Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";

/** Whose request it was. */
interface AccountedClient {
  readonly environment: ProxyEnvironment;
  readonly listener: ListenerState;
  readonly stream: Stream;
  readonly address: string;
  readonly owner: { readonly recorder: AccessRecorder };
}

/** `minor`: version of the request; `headSince`: when its head began to come, 0: it came at once. */
export function accountFor(
  { environment, listener: { live }, stream, address, owner: { recorder } }: AccountedClient,
  { record, request }: { readonly record: Record; readonly request: UpstreamRequest },
  minor: number,
  headSince: number,
): void {
  const now = environment.now();
  record.account(environment, live.snapshot.row, now);
  const { trace } = request;
  const sampled = trace !== null && trace.active && trace.sampled;
  if (!live.logged && !sampled) return;
  recorder.setRequest(request, minor);
  const access = recorder.record;
  if (stream.http2 === true) access.version = "HTTP/2.0";
  record.fill(access, environment, now);
  access.transport = "";
  access.listener = live.snapshot.name;
  access.clientHost = address;
  access.clientPort = stream.remotePort;
  access.tls = stream.tls ?? null;
  access.headMs = headSince === 0 ? 0 : record.startedAt - headSince;
  access.route = record.route;
  if (live.logged) environment.logAccess(access);
  if (sampled) environment.logSpan(access, trace);
}
