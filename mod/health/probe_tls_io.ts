/**
 * The tls probe: a server that completes a TLS handshake is healthy. And the handshake that http probes of a pool
 * with TLS begin with.
 *
 * In a pool with TLS the probe connects as traffic does. Without, certificates are not verified: the question is
 * whether the server speaks TLS, and servers that traffic is passed through to prove themselves to its clients.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { ServerTlsSnapshot } from "../config/snapshot.ts";
import { serverNameOption, tlsConnectOptions } from "../net/tls_dial_io.ts";
import { tlsFailure } from "../net/tls_failure.ts";
import {
  describeFailure,
  type Outcome,
  type Probe,
  probeHeader,
  type ProbeScope,
  type ProbeTarget,
  runProbe,
} from "./probe_io.ts";

const NO_ANSWER = "the server closed the connection during the handshake";

export const probeTls: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    const { check } = target;
    const connected = await connectTls(target, optionsOf(target, check.tls), scope);
    if ("reason" in connected) return { ok: false, reason: connected.reason };
    const { socket } = connected;
    const outcome = { ok: true, reason: `handshake completed, ${socket.getProtocol() ?? "TLS"}` };
    return await new Promise<Outcome>((resolve) => {
      socket.once("close", () => resolve(outcome));
      closeGently(socket);
    });
  });

/** A connection over TLS, made as the check says; it is closed when the probe ends. */
export function openTls(
  target: ProbeTarget,
  tls: ServerTlsSnapshot,
  scope: ProbeScope,
): Promise<{ socket: TLSSocket } | { reason: string }> {
  return connectTls(target, optionsOf(target, tls), scope);
}

function optionsOf(target: ProbeTarget, tls: ServerTlsSnapshot | undefined): ConnectionOptions {
  const { check } = target;
  const host = check.host.replace(/^\[|\]$/g, "");
  if (tls === undefined) return { rejectUnauthorized: false, ...serverNameOption(host) };
  const asked = check.type === "tls" && isIP(host) === 0 ? host : "";
  return {
    ...tlsConnectOptions(tls),
    ...serverNameOption(check.tlsName ?? (asked || (target.tlsName ?? ""))),
  };
}

async function connectTls(
  target: ProbeTarget,
  options: ConnectionOptions,
  scope: ProbeScope,
): Promise<{ socket: TLSSocket } | { reason: string }> {
  const { host, port } = target;
  const under = target.check.proxyProtocol === undefined ? null : await introduced(target, scope);
  // The host is what a certificate is for, also where the connection is there already.
  const socket = connect({ ...options, host, port, ...(under === null ? {} : { socket: under }) });
  scope.closing(() => socket.destroy());
  return await new Promise((resolve) => {
    let reason = NO_ANSWER;
    socket.once("secureConnect", () => resolve({ socket }));
    socket.on("error", (error: Error) => {
      reason = tlsFailure(error, options.servername ?? host)?.message ?? describeFailure(error);
    });
    socket.once("close", () => resolve({ reason }));
  });
}

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
