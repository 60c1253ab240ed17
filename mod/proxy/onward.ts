/**
 * Where a request goes: a pool, and what the choice of a server there begins with.
 */
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { LivePool } from "./environment.ts";
import { hashOfRequest } from "./hash_key.ts";
import type { UpstreamRequest } from "./request_head.ts";
import type { RequestClient, RequestStick } from "./sticky.ts";

export interface Onward {
  readonly pool: LivePool;
  readonly hash: number;
  /** Null: the request belongs to no session. */
  readonly stick: RequestStick | null;
}

/** `request` is composed of `head`, and loses what the pool's servers are not to see. */
export function onwardTo(
  pool: LivePool,
  client: RequestClient,
  request: UpstreamRequest,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
): Onward {
  // First, as the bytes may be those of the request itself.
  const hash = hashOfRequest(pool.snapshot, client.address, head, info, bytes, client.environment.facts);
  return { pool, hash, stick: pool.sticky?.ofRequest(client, request, head, info, bytes) ?? null };
}
