/**
 * The PROXY header that a new connection to a server begins with, in the name of the client whose bytes follow.
 */
import type { PoolSnapshot } from "../config/snapshot.ts";
import { writeProxyHeader, writeProxyLine } from "../net/proxy_protocol.ts";
import type { Stream } from "../net/stream.ts";

/**
 * The header, where the pool wants one; `address` is the client's, `serverName` what it asked for in TLS, or empty.
 * The port is the connection's, whoever the client is.
 */
export function sentHeader(
  { proxyProtocol }: PoolSnapshot,
  client: Stream,
  address: string,
  serverName: string,
): Uint8Array | null {
  if (proxyProtocol === undefined) return null;
  const source = { host: address, port: client.remotePort };
  const destination = { host: client.localHost, port: client.localPort };
  const additions = serverName === "" ? {} : { authority: serverName };
  return proxyProtocol === "v1"
    ? writeProxyLine(source, destination)
    : writeProxyHeader(source, destination, additions);
}
