/** Bodies of requests that are answered here: whether one is read for nothing, so that the client's connection stays. */
import { CHUNKED, FIXED } from "../http1/body.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { Stream } from "../net/stream.ts";

/** Most of a body that is read for nothing; nginx reads all of it for `lingering_time`, HAProxy none. */
export const MAX_SKIPPED_BYTES = 64 * 1024;

/** A client that waits for our word on its body may or may not send it: then only its end tells where it ends. */
export function maySkip({ framing, contentLength, expectContinue }: RequestInfo, { http2 }: Stream): boolean {
  return !expectContinue && http2 !== true &&
    (framing === CHUNKED || framing === FIXED && contentLength <= MAX_SKIPPED_BYTES);
}
