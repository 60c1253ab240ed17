/**
 * The tls probe: a server that completes a TLS handshake is healthy.
 *
 * Certificates are not verified: the question is whether the server speaks TLS, and servers behind a balancer
 * usually have certificates of their own making. `node:tls`, because `Deno.connectTls` always verifies.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import {
  describeFailure,
  type Outcome,
  type Probe,
  probeHeader,
  type ProbeScope,
  type ProbeTarget,
  runProbe,
} from "./probe_io.ts";

export const probeTls: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    const name = target.check.host;
    const under = target.check.proxyProtocol === undefined ? null : await introduced(target, scope);
    const socket = connect({
      ...(under === null ? { host: target.host, port: target.port } : { socket: under }),
      rejectUnauthorized: false,
      // RFC 6066 section 3: literal addresses are not permitted as a server name.
      ...(name === "" || isIP(name.replace(/^\[|\]$/g, "")) !== 0 ? {} : { servername: name }),
    });
    return await new Promise<Outcome>((resolve) => {
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

/** A connection on which the PROXY header has been said, before which there must be no byte of TLS. */
function introduced(target: ProbeTarget, scope: ProbeScope): Promise<Socket> {
  const socket = connectTcp({ host: target.host, port: target.port });
  scope.closing(() => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the probe ended")));
    socket.once("connect", () => {
      const { localAddress = "", localPort = 0 } = socket;
      socket.write(probeHeader(target, { host: localAddress, port: localPort }), () => resolve(socket));
    });
  });
}

/** Says close_notify first, so that the server does not log an error for every probe. */
function closeGently(socket: TLSSocket): void {
  socket.end(() => socket.destroy());
}
