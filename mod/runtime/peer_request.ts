/**
 * What one node asks another's API, and what it says: plain data, with the name and the role of whoever wants it. Pure.
 *
 * The answer goes in frames: a status first, then its text in pieces.
 */
import { z } from "zod";

/** As for whoever asks the API itself. */
const MAX_BODY = 64 * 1024;
/** UTF-16 units of one piece: JSON needs at most six bytes for one, so a piece fits a frame. */
const PIECE_UNITS = 128 * 1024;
/** So 16 Mi units: far above any real status. */
const MAX_PIECES = 128;
/** A reload waits for names and for an upgrade; all else is done at once. */
const WITHIN_MS = 8000;
const RELOAD_MS = 50_000;

export const PEER_REQUEST = z.strictObject({
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  /** Below `/api`, with its query. */
  path: z.string().max(4096).regex(/^\/[!-~]*$/),
  /** JSON; null: none. */
  body: z.string().max(MAX_BODY).nullable(),
  /** A reader changes nothing. */
  role: z.enum(["reader", "operator"]),
  /** Who wants it, in words. */
  by: z.string().max(300),
});

export type PeerRequest = z.infer<typeof PEER_REQUEST>;

export const PEER_ANSWER = z.strictObject({
  /** As in HTTP. */
  status: z.int().min(100).max(599),
  /** JSON. */
  body: z.string(),
});

export type PeerAnswer = z.infer<typeof PEER_ANSWER>;

/** What the asking node says first; `node`: whom it means. */
export const ASKED = z.strictObject({ node: z.string(), request: PEER_REQUEST });
/** The first frame of an answer. */
export const HEAD = z.strictObject({
  status: z.int().min(100).max(599),
  pieces: z.int().min(0).max(MAX_PIECES),
});

/** The names of a node and of those that share its elections. */
export interface Nodes {
  readonly own: string;
  readonly others: readonly string[];
}

/** Where it leads, as a router reads it: from `/api` on, without its query. */
export function placeOf({ path }: Pick<PeerRequest, "path">): string {
  return new URL(`http://localhost/api${path}`).pathname;
}

/** Whether it is a reload, whatever its query. */
export function isReload(request: Pick<PeerRequest, "path">): boolean {
  return placeOf(request) === "/api/reload";
}

/** How long an answer may take. */
export function allowedMs(request: Pick<PeerRequest, "path">): number {
  return isReload(request) ? RELOAD_MS : WITHIN_MS;
}

/** An answer that says why there is none. */
export function noAnswer(status: number, error: string): PeerAnswer {
  return { status, body: JSON.stringify({ error }) };
}

/** Why this node does not do it for another; null: it does. */
export function refusalOf({ method, path, role }: PeerRequest): PeerAnswer | null {
  if (method !== "GET" && role !== "operator") return noAnswer(403, "a reader may change nothing");
  if (new URL(path, "http://localhost").searchParams.has("node")) {
    return noAnswer(400, "what a node was asked for another it does not hand on");
  }
  return null;
}

/** The frames of an answer. */
export function framesOf({ status, body }: PeerAnswer): string[] {
  const count = Math.ceil(body.length / PIECE_UNITS);
  if (count > MAX_PIECES) return framesOf(noAnswer(500, "the answer is too long for another node"));
  // As JSON, so that a pair of surrogates may be cut.
  const pieces = Array.from(
    { length: count },
    (_, at) => JSON.stringify(body.slice(at * PIECE_UNITS, (at + 1) * PIECE_UNITS)),
  );
  return [JSON.stringify({ status, pieces: count }), ...pieces];
}

/** Bodies that have no secret in them, as a configuration has, or what clients of a pool are told by. */
const TOLD = /^\/api\/(?:pools\/[^/]+\/servers(?:\/[^/]+)?|log|maintenance|cache\/purge)$/;

/** For the log: what was wanted of another node. Queries are not told, as those of sessions have secrets of clients. */
export function describeRequest(request: PeerRequest): string {
  const { method, body } = request;
  const place = placeOf(request);
  return `${method} ${place}${body !== null && TOLD.test(place) ? ` ${body}` : ""}`;
}
