/**
 * The http probe: one request on a connection of its own, judged by the status of the answer.
 *
 * Bytes on a plain connection, as the data plane speaks, so that what passes here also passes there. It reads up
 * to the final status line and closes; the request and the reader are in `http_check.ts`.
 */
import type { CheckSnapshot, ServerTlsSnapshot } from "../config/snapshot.ts";
import { checkRequest, statusExpected, type StatusRead, StatusReader } from "./http_check.ts";
import {
  connect,
  type Outcome,
  type Probe,
  type ProbeScope,
  type ProbeTarget,
  runProbe,
} from "./probe_io.ts";
import { openTls } from "./probe_tls_io.ts";

const READ_BYTES = 2048;

export const probeHttp: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    const { check, host, port } = target;
    const request = checkRequest(check, host, port);
    if (request === null) return failed("method, path or host of the check cannot be sent");
    if (check.tls !== undefined) return await askOverTls(target, check.tls, request, scope);
    const conn = await connect(target, scope);
    conn.setNoDelay(true);
    for (let at = 0; at < request.length;) at += await conn.write(request.subarray(at));
    const reader = new StatusReader();
    const buffer = new Uint8Array(READ_BYTES);
    while (true) {
      const count = await conn.read(buffer);
      if (count === null) return failed(endReason(reader));
      const outcome = judge(check, reader.push(buffer.subarray(0, count)));
      if (outcome !== null) return outcome;
    }
  });

async function askOverTls(
  target: ProbeTarget,
  tls: ServerTlsSnapshot,
  request: Uint8Array,
  scope: ProbeScope,
): Promise<Outcome> {
  const connected = await openTls(target, tls, scope);
  if ("reason" in connected) return failed(connected.reason);
  await connected.write(request);
  const reader = new StatusReader();
  while (true) {
    const text = await connected.read();
    if (text === null) return failed(endReason(reader));
    const outcome = judge(target.check, reader.push(text));
    if (outcome !== null) return outcome;
  }
}

/** What an answer so far comes to; null: not enough of it is there. */
function judge(check: CheckSnapshot, read: StatusRead): Outcome | null {
  if (read.kind === "malformed") return failed(read.reason);
  if (read.kind === "more") return null;
  const ok = statusExpected(check, read.status);
  return { ok, reason: ok ? `status ${read.status}` : `status ${read.status} is not expected` };
}

function endReason(reader: StatusReader): string {
  return reader.empty
    ? "the server closed the connection without an answer"
    : "the server broke off its answer";
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
