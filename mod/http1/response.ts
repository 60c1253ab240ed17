/**
 * What a server's response head means: framing and connection (RFC 9112 section 6.3). The counterpart of
 * `request.ts`; just as strict, as a confused response poisons the next client's answer.
 */
import { equalsLower } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { CHUNKED, FIXED, type Framing, NONE, UNTIL_CLOSE } from "./body.ts";
import type { Head } from "./head.ts";
import { type ConnectionOptions, readConnectionOptions } from "./connection_options.ts";
import { contentLength } from "./request.ts";

export class ResponseInfo implements ConnectionOptions {
  framing: Framing = NONE;
  /** Declared length, also when there is no body (HEAD, 304); -1: none declared. */
  contentLength = -1;
  /** The server will keep the connection open. */
  keepAlive = true;
  close = false;
  upgrade = false;
  nominated: string[] | null = null;
}

/** Fills `info`; false when the head is malformed or ambiguous. `toHead`: it answers a HEAD request. */
export function readResponse(info: ResponseInfo, head: Head, bytes: Uint8Array, toHead: boolean): boolean {
  info.keepAlive = head.minor === 1;
  info.contentLength = -1;
  info.close = info.upgrade = false;
  info.nominated = null;
  let chunked = false;
  const { ids, count } = head;
  for (let i = 0; i < count; i++) {
    const start = head.valueStart(i), end = head.valueEnd(i);
    switch (ids[i]) {
      case names.CONTENT_LENGTH: {
        const value = contentLength(bytes, start, end);
        if (value < 0 || (info.contentLength >= 0 && info.contentLength !== value)) return false;
        info.contentLength = value;
        break;
      }
      case names.TRANSFER_ENCODING:
        if (chunked || head.minor === 0 || !equalsLower(bytes, start, end, "chunked")) return false;
        chunked = true;
        break;
      case names.CONNECTION:
        if (!readConnectionOptions(info, bytes, start, end)) return false;
        break;
    }
  }
  if (info.close) info.keepAlive = false;
  if (chunked && info.contentLength >= 0) return false;
  const { status } = head;
  if (toHead || status === 204 || status === 304 || status < 200) {
    info.framing = NONE;
    // RFC 9110 section 8.6: 1xx and 204 have no Content-Length, RFC 9112 section 6.1: nor a Transfer-Encoding.
    if (status === 204 || status < 200) info.contentLength = -1;
  } else if (chunked) info.framing = CHUNKED;
  else if (info.contentLength >= 0) info.framing = info.contentLength === 0 ? NONE : FIXED;
  else {
    info.framing = UNTIL_CLOSE;
    info.keepAlive = false;
  }
  return true;
}
