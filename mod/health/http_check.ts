/**
 * The bytes of an HTTP check: the request that asks, and a reader of the status of the answer.
 *
 * The reader is fed whatever arrives and stops at the final status line; the rest of the answer is not looked
 * at. It skips 1xx answers (RFC 9110 section 15.2) and never holds more than `MAX_CHECK_ANSWER` bytes. It is as
 * strict as the data plane: a server whose status line cannot be proxied is not healthy. It knows no sockets.
 */
import { formatHostPort } from "../base/address.ts";
import type { CheckSnapshot } from "../config/snapshot.ts";

/** All that may come before the final status line ends. HAProxy's checks read into one 16 KiB buffer. */
export const MAX_CHECK_ANSWER = 16 * 1024;

const encoder = new TextEncoder();
/** Method: a token (RFC 9110 section 5.6.2). */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Path and host: visible ASCII, so that neither can add a line to the request. */
const VISIBLE = /^[\x21-\x7e]+$/;
/** RFC 9112 section 4. The reason may hold obs-text; the space before an absent reason is often left out. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** The request of an HTTP check, or null when method, path or host cannot be sent as they are. */
export function checkRequest(check: CheckSnapshot, host: string, port: number): Uint8Array | null {
  const authority = check.host === "" ? hostHeader(host, port) : bracketed(check.host);
  if (!METHOD.test(check.method) || !VISIBLE.test(check.path) || !VISIBLE.test(authority)) return null;
  return encoder.encode(
    `${check.method} ${check.path} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: tandem-check\r\n` +
      `Accept: */*\r\nConnection: close\r\n\r\n`,
  );
}

/** `Host` for an address: IPv6 in brackets, the default port left out (RFC 9110 section 4.2.3). */
export function hostHeader(host: string, port: number): string {
  const authority = formatHostPort(host, port);
  return port === 80 ? authority.slice(0, -":80".length) : authority;
}

/** A configured host, which may be a bare IPv6 address. */
function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

export function statusExpected(check: CheckSnapshot, status: number): boolean {
  return check.expectStatus.some(([first, last]) => status >= first && status <= last);
}

export type StatusRead =
  | { readonly kind: "more" }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "malformed"; readonly reason: string };

export class StatusReader {
  /** Bytes of the line under way, as latin-1. */
  #line = "";
  #seen = 0;
  /** In the fields of a 1xx answer, whose end is an empty line. */
  #skipping = false;

  /** Takes the next bytes; after anything but `more` the reader is done. */
  push(bytes: Uint8Array): StatusRead {
    for (const byte of bytes) {
      if (++this.#seen > MAX_CHECK_ANSWER) {
        return malformed(`no final status line in the first ${MAX_CHECK_ANSWER} bytes`);
      }
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte);
        continue;
      }
      if (!this.#line.endsWith("\r")) return malformed("a line of the answer does not end in CRLF");
      const line = this.#line.slice(0, -1);
      this.#line = "";
      const read = this.#takeLine(line);
      if (read.kind !== "more") return read;
    }
    return { kind: "more" };
  }

  /** True when nothing at all has arrived. */
  get empty(): boolean {
    return this.#seen === 0;
  }

  #takeLine(line: string): StatusRead {
    if (this.#skipping) {
      if (line === "") this.#skipping = false;
      return { kind: "more" };
    }
    const match = STATUS_LINE.exec(line);
    if (match === null) return malformed("the answer does not start with an HTTP/1 status line");
    const status = Number(match[1]);
    if (status >= 200) return { kind: "status", status };
    if (status === 101) return malformed("status 101 without having asked for an upgrade");
    this.#skipping = true;
    return { kind: "more" };
  }
}

function malformed(reason: string): StatusRead {
  return { kind: "malformed", reason };
}
