/**
 * The idle connections to servers that the requests of one client may use: those of everyone, or, where a PROXY
 * header has named the client, its own.
 */
import type { PoolSnapshot } from "../config/snapshot.ts";
import { IdleConnections } from "../net/idle.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { Stream } from "../net/stream.ts";
import { ServerConnection } from "./server_connection.ts";

export class ReusableConnections {
  #own: IdleConnections<ServerConnection> | null = null;
  /** The client that they were made for. */
  #client = "";

  constructor(readonly environment: ProxyEnvironment) {}

  /** A new connection to the server of `slot`, and where it will wait for the next request. */
  adopt(stream: Stream, slot: number, { proxyProtocol, timeouts }: PoolSnapshot): ServerConnection {
    const idle = proxyProtocol === undefined ? this.environment.idle : this.#own ??= new IdleConnections();
    return new ServerConnection(this.environment, stream, slot, timeouts.idleMs, idle);
  }

  take(pool: PoolSnapshot, slot: number): ServerConnection | null {
    if (pool.proxyProtocol === undefined) return this.environment.idle.take(slot);
    const connection = this.#own?.take(slot) ?? null;
    if (connection === null) return null;
    // Since a reload the slot may be another server's, which for connections of everyone the data plane sees to.
    const { host, port } = pool.servers.find((server) => server.slot === slot)!;
    if (connection.stream.remoteHost === host && connection.stream.remotePort === port) return connection;
    connection.close();
    return null;
  }

  /** The next request is of this client, whom a proxy in front may have told of. */
  ofClient(address: string): void {
    if (address === this.#client) return;
    this.#client = address;
    this.close();
  }

  /** The client is gone for good. */
  close(): void {
    if (this.#own !== null) { for (const connection of this.#own.clear()) connection.close(); }
  }
}
