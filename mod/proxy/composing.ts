/** Writes the request of an exchange as its server is to see it, and as the log tells it. */
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import { CACHE_ROOM } from "./cache_request.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { LivePool, LiveRoute } from "./environment.ts";
import { composeRequest, type UpstreamRequest } from "./request_head.ts";

/** Where a request goes, and what is changed of it. */
export interface Destination {
  readonly client: ClientConnection;
  readonly changes: Changes;
  /** Null: none takes it. */
  readonly route: LiveRoute | null;
  /** Null: it goes to no server. */
  readonly pool: LivePool | null;
  /** Bytes that its body wants behind its head. */
  readonly spare: number;
}

/** Fills `request`; returns whether the client is a proxy that is believed. */
export function compose(
  request: UpstreamRequest,
  { client, changes, route, pool, spare }: Destination,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
): boolean {
  const { buffers } = client.environment;
  const additions = client.additions(head, info, bytes, pool, route?.requestEdit ?? null);
  const { trusted } = additions;
  const made = changes.begin(head, info, bytes, route, trusted);
  const room = route === null || route.cache === null ? spare : spare + CACHE_ROOM;
  composeRequest(request, buffers, head, info, bytes, additions, room, made);
  return trusted;
}
