/**
 * Sessions of a pool, whichever way they are told: what the exchanges and connections of a worker see of them.
 */
import type { StickMemory } from "../balance/stick_table.ts";
import type { Stick } from "../balance/stick.ts";
import type { PoolSnapshot } from "../config/snapshot.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { UpstreamRequest } from "./request_head.ts";
import { CookieSessions } from "./sticky_cookie.ts";
import { TableSessions } from "./sticky_table.ts";

/** What a connection is told by. */
export interface ClientFacts {
  readonly address: string;
  /** What was asked for by SNI; empty: nothing was. */
  readonly serverName: string;
}

/** Who sends requests. */
export interface RequestClient extends ClientFacts {
  readonly environment: Pick<ProxyEnvironment, "facts" | "wallClock">;
}

/** Changes the composed head of an answer. */
export interface HeadEditor {
  /** Bytes that it may become longer by. */
  readonly room: number;
  /** Changes `out[0..length)`; returns the new length. */
  edit(out: Uint8Array, length: number): number;
}

export interface RequestStick extends Stick {
  /** The answer of the server that was settled on has come. Answers who is to change its head; null: nobody need. */
  onAnswer(head: Head, bytes: Uint8Array): HeadEditor | null;
}

export interface PoolSticky {
  /** False: a request of a session stays on its server, also when that cannot be connected to. */
  readonly redispatch: boolean;
  /** `request` is composed, and is changed where the server is not to see the cookie. */
  ofRequest(
    client: RequestClient,
    request: UpstreamRequest,
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
  ): RequestStick;
  /** `now` in milliseconds since 1970. */
  ofConnection(client: ClientFacts, now: number): Stick;
}

/** The sessions of a pool as one worker keeps them; null: the pool has none. */
export function poolSticky(
  pool: PoolSnapshot,
  memory: StickMemory | undefined,
  worker: number,
): PoolSticky | null {
  if (pool.sticky === undefined) return null;
  if (memory === undefined) throw new Error(`Cannot use pool ${pool.name} as its sessions have no memory`);
  if (pool.sticky.kind === "cookie") return new CookieSessions(pool.servers, pool.sticky, memory, worker);
  return new TableSessions(pool.servers, pool.sticky, memory, worker);
}
