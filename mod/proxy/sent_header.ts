/**
 * The PROXY header that a new connection to a server begins with, in the name of the client whose bytes follow.
 */
import type { PoolSnapshot } from "../config/snapshot.ts";
import { writeProxyHeader, writeProxyLine } from "../net/proxy_protocol.ts";
import type { Stream } from "../net/stream.ts";

/** Writes it, where the pool wants one; `serverName` is what the client asked for in TLS, or empty. */
export function sendHeader(server: Stream, pool: PoolSnapshot, client: Stream, serverName: string): void {
  const { proxyProtocol } = pool;
  if (proxyProtocol === undefined) return;
  const source = { host: client.remoteHost, port: client.remotePort };
  const destination = { host: client.localHost, port: client.localPort };
  const additions = serverName === "" ? {} : { authority: serverName };
  server.write(
    proxyProtocol === "v1"
      ? writeProxyLine(source, destination)
      : writeProxyHeader(source, destination, additions),
  );
}
