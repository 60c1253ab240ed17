/**
 * The heads of answers that are files, and the parts of one with several ranges (RFC 9110 sections 14.6 and 15.3.7).
 * Pure.
 */
import type { ByteRange } from "./ranges.ts";

/** What does not depend on the request but for the chosen encoding. */
export interface Representation {
  readonly size: number;
  readonly type: string;
  readonly etag: string;
  readonly lastModified: string;
  /** Empty: none. */
  readonly encoding: string;
  /** True when other encodings could have been chosen. */
  readonly varies: boolean;
  /** False: these bytes were made for this answer, and nobody may ask for a part of them. */
  readonly ranges: boolean;
  /** Empty: none. */
  readonly cacheControl: string;
}

export interface Connection {
  readonly date: string;
  readonly keepAlive: boolean;
  readonly minor: number;
  /** Value of `Strict-Transport-Security`; absent or empty: none. */
  readonly hsts?: string;
}

/** Text or bytes of the file, in the order in which they are sent. */
export type Part = { readonly text: string } | ByteRange;

/** Head of an answer with all of the file. */
export function wholeHead(what: Representation, connection: Connection): string {
  return start("200 OK", connection) + described(what, what.type) +
    `Content-Length: ${what.size}\r\n${what.ranges ? "Accept-Ranges: bytes\r\n" : ""}\r\n`;
}

export function rangeHead(what: Representation, range: ByteRange, connection: Connection): string {
  return start("206 Partial Content", connection) + described(what, what.type) +
    `Content-Length: ${range.end - range.start}\r\n${contentRange(what.size, range)}\r\n`;
}

/** Head and parts of an answer with several ranges. */
export function multipart(
  what: Representation,
  ranges: readonly ByteRange[],
  boundary: string,
  connection: Connection,
): { head: string; parts: Part[] } {
  const parts: Part[] = [];
  let length = 0;
  const text = (text: string) => {
    parts.push({ text });
    length += text.length;
  };
  for (const [index, range] of ranges.entries()) {
    const opening = index === 0 ? `--${boundary}` : `\r\n--${boundary}`;
    text(`${opening}\r\nContent-Type: ${what.type}\r\n${contentRange(what.size, range)}\r\n`);
    parts.push(range);
    length += range.end - range.start;
  }
  text(`\r\n--${boundary}--\r\n`);
  const head = start("206 Partial Content", connection) +
    described(what, `multipart/byteranges; boundary=${boundary}`) + `Content-Length: ${length}\r\n\r\n`;
  return { head, parts };
}

/** RFC 9110 section 15.4.5: what a cache needs to renew what it has. */
export function notModifiedHead(what: Representation, connection: Connection): string {
  return start("304 Not Modified", connection) + validators(what) + "\r\n";
}

export function failedHead(connection: Connection): string {
  return start("412 Precondition Failed", connection) + "Content-Length: 0\r\n\r\n";
}

export function unsatisfiableHead(what: Representation, connection: Connection): string {
  return start("416 Range Not Satisfiable", connection) +
    `Content-Range: bytes */${what.size}\r\nContent-Length: 0\r\n\r\n`;
}

function start(status: string, { date, keepAlive, minor, hsts = "" }: Connection): string {
  const strict = hsts === "" ? "" : `Strict-Transport-Security: ${hsts}\r\n`;
  const persistence = !keepAlive ? "Connection: close\r\n" : minor === 0 ? "Connection: keep-alive\r\n" : "";
  return `HTTP/1.1 ${status}\r\nDate: ${date}\r\n${strict}${persistence}`;
}

function described(what: Representation, type: string): string {
  const encoding = what.encoding === "" ? "" : `Content-Encoding: ${what.encoding}\r\n`;
  return `Content-Type: ${type}\r\n${encoding}${validators(what)}`;
}

function validators({ etag, lastModified, varies, cacheControl }: Representation): string {
  return `Last-Modified: ${lastModified}\r\nETag: ${etag}\r\n` +
    (varies ? "Vary: Accept-Encoding\r\n" : "") +
    (cacheControl === "" ? "" : `Cache-Control: ${cacheControl}\r\n`);
}

function contentRange(size: number, { start, end }: ByteRange): string {
  return `Content-Range: bytes ${start}-${end - 1}/${size}\r\n`;
}
