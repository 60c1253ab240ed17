/**
 * The tls probe: a server that completes a TLS handshake is healthy.
 *
 * Certificates are not verified: the question is whether the server speaks TLS, and servers behind a balancer
 * usually have certificates of their own making. `node:tls`, because `Deno.connectTls` always verifies.
 */
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { describeFailure, type Outcome, type Probe, runProbe } from "./probe_io.ts";

export const probeTls: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, (scope) => {
    const name = target.check.host;
    const socket = connect({
      host: target.host,
      port: target.port,
      rejectUnauthorized: false,
      // RFC 6066 section 3: literal addresses are not permitted as a server name.
      ...(name === "" || isIP(name.replace(/^\[|\]$/g, "")) !== 0 ? {} : { servername: name }),
    });
    return new Promise<Outcome>((resolve) => {
      let outcome: Outcome = { ok: false, reason: "the server closed the connection during the handshake" };
      scope.closing(() => socket.destroy());
      socket.once("secureConnect", () => {
        outcome = { ok: true, reason: `handshake completed, ${socket.getProtocol() ?? "TLS"}` };
        closeGently(socket);
      });
      socket.on("error", (error: Error) => {
        if (!outcome.ok) outcome = { ok: false, reason: describeFailure(error) };
      });
      socket.once("close", () => resolve(outcome));
    });
  });

/** Says close_notify first, so that the server does not log an error for every probe. */
function closeGently(socket: TLSSocket): void {
  socket.end(() => socket.destroy());
}
