/**
 * Lines that are put into a request that is composed already, and taken out of it. For the few requests that are not
 * sent as they were composed.
 */
import { fromLatin1 } from "../http/grammar.ts";
import { findField, lineEnd, replaceRange } from "./head_bytes.ts";
import type { UpstreamRequest } from "./request_head.ts";

/** Puts a line (without its end) behind the fields; there must be room for it. */
export function insertLine(request: UpstreamRequest, text: string): void {
  const line = fromLatin1(`${text}\r\n`);
  const { bytes } = request.lease!;
  const at = fieldsEnd(bytes);
  request.length = replaceRange(bytes, request.length, at, at, line);
}

/** Takes all fields of these names out, lower case; the log keeps what it shows of them. */
export function removeFields(request: UpstreamRequest, names: readonly string[]): void {
  const { bytes } = request.lease!;
  for (const name of names) {
    const wanted = fromLatin1(`${name}:`);
    let line = findField(bytes, lineEnd(bytes, 0), request.length, wanted);
    while (line >= 0) {
      request.keepApart(line, lineEnd(bytes, line));
      request.cut(line, lineEnd(bytes, line));
      line = findField(bytes, line, request.length, wanted);
    }
  }
}

/** Where the empty line behind the fields begins. */
function fieldsEnd(bytes: Uint8Array): number {
  let at = lineEnd(bytes, 0);
  while (bytes[at] !== 0x0d) at = lineEnd(bytes, at);
  return at;
}
