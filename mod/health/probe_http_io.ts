/**
 * The http probe: one request on a connection of its own, judged by the status of the answer.
 *
 * Bytes on a plain connection, as the data plane speaks, so that what passes here also passes there. It reads up
 * to the final status line and closes; the request and the reader are in `http_check.ts`.
 */
import { checkRequest, statusExpected, StatusReader } from "./http_check.ts";
import { connect, type Outcome, type Probe, runProbe } from "./probe_io.ts";

const READ_BYTES = 2048;

export const probeHttp: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    const { check, host, port } = target;
    const request = checkRequest(check, host, port);
    if (request === null) return failed("method, path or host of the check cannot be sent");
    const conn = await connect(target, scope);
    conn.setNoDelay(true);
    for (let at = 0; at < request.length;) at += await conn.write(request.subarray(at));
    const reader = new StatusReader();
    const buffer = new Uint8Array(READ_BYTES);
    while (true) {
      const count = await conn.read(buffer);
      if (count === null) return failed(endReason(reader));
      const read = reader.push(buffer.subarray(0, count));
      if (read.kind === "malformed") return failed(read.reason);
      if (read.kind === "more") continue;
      const ok = statusExpected(check, read.status);
      return { ok, reason: ok ? `status ${read.status}` : `status ${read.status} is not expected` };
    }
  });

function endReason(reader: StatusReader): string {
  return reader.empty
    ? "the server closed the connection without an answer"
    : "the server broke off its answer";
}

function failed(reason: string): Outcome {
  return { ok: false, reason };
}
