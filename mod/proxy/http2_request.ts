/**
 * A request of HTTP/2 as HTTP/1: takes the fields of one header block as they are decoded, and makes a request head of
 * them (RFC 9113 sections 8.1 to 8.3). Everything behind it (routes, servers, logs) then reads what it always reads.
 *
 * Strict, as what is let through here is read again by others: what section 8.1.1 calls malformed is refused, and no
 * byte gets into a line that could end it. One a worker, used for one block after the other.
 */
import { FIELD_VALUE, TARGET, TOKEN } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { copyBytes } from "../base/bytes.ts";
import { type FieldSink, SPARE_BYTES } from "../http2/decoder.ts";
import {
  AUTHORITY,
  FIRST_PSEUDO,
  MALFORMED_FIELD,
  METHOD,
  PATH,
  PROTOCOL,
  SCHEME,
  STATUS,
} from "../http2/field.ts";
import { contentLength, validHost } from "../http1/request.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import { put } from "./request_head.ts";

const LINE_END = fromLatin1(" HTTP/1.1\r\nhost: ");
const CHUNKED_LINE = fromLatin1("transfer-encoding: chunked\r\n");
const COOKIE_LINE = fromLatin1("cookie: ");
/** The key need not be secret, only there (RFC 6455 section 1.3); nobody looks at what the server makes of it. */
const WEBSOCKET_LINES = fromLatin1(
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: VGFuZGVtIGlzIGhlcmUuLg==\r\n",
);
/** Room for what is added besides the fields. */
const ADDED_BYTES = 256;

/** Fields that a message of HTTP/2 may not have (RFC 9113 section 8.2.2). */
export const OF_CONNECTIONS: Uint8Array = names.idSet(
  names.CONNECTION,
  names.KEEP_ALIVE,
  names.PROXY_CONNECTION,
  names.TRANSFER_ENCODING,
  names.UPGRADE,
);

interface Text {
  bytes: Uint8Array;
  length: number;
}

export class RequestLines implements FieldSink {
  readonly bytes: Uint8Array;
  readonly limit: number;
  at: number;
  /** More than `limit` bytes of fields: what there is of them is no whole request. */
  tooLarge = false;
  /** Value of Content-Length; -1: there is none. */
  contentLength = -1;
  /** A WebSocket is to be opened (RFC 8441). */
  websocket = false;
  isHead = false;
  /** Where the head begins in `bytes`, after `finish`; it ends at `at`. */
  start = 0;
  readonly #headBytes: number;
  readonly #base: number;
  readonly #pseudo: Record<number, Text> = {};
  readonly #cookie: Text;
  #seen = 0;
  #malformed = false;
  #regular = false;
  #hostStart = 0;
  #hostEnd = 0;
  #hasHost = false;

  /** `headBytes`: how many the fields may have together. */
  constructor(headBytes: number) {
    this.#headBytes = headBytes;
    this.#base = 3 * headBytes + ADDED_BYTES;
    this.limit = this.#base + headBytes;
    this.bytes = new Uint8Array(this.limit + SPARE_BYTES + ADDED_BYTES + headBytes);
    this.#cookie = { bytes: new Uint8Array(headBytes), length: 0 };
    for (const kind of [METHOD, SCHEME, AUTHORITY, PATH, PROTOCOL]) {
      this.#pseudo[kind] = { bytes: new Uint8Array(headBytes), length: 0 };
    }
    this.at = this.#base;
  }

  /** Prepares for a block. */
  reset(): void {
    this.at = this.#base;
    this.contentLength = -1;
    this.#seen = this.#cookie.length = 0;
    this.tooLarge =
      this.websocket =
      this.#malformed =
      this.#regular =
      this.#hasHost =
        false;
  }

  overflow(): void {
    this.tooLarge = true;
    // There is no room for any other.
    this.at = this.limit;
  }

  field(kind: number, nameLength: number, end: number): void {
    if (kind >= MALFORMED_FIELD) {
      if (kind >= FIRST_PSEUDO && !this.#regular && kind !== STATUS) this.#keepPseudo(kind, nameLength, end);
      else this.#malformed = true;
      return;
    }
    this.#regular = true;
    const valueStart = this.at + nameLength + 2;
    switch (kind) {
      case names.OTHER:
        break;
      case names.SEC_WEBSOCKET_KEY:
        // Ours stands there (section 5 of RFC 8441 has none).
        if (this.#has(PROTOCOL)) return;
        break;
      case names.COOKIE:
        return this.#keepCookie(valueStart, end - 2);
      case names.CONTENT_LENGTH:
        this.#keepLength(valueStart, end - 2);
        break;
      case names.HOST:
        if (this.#hasHost) this.#malformed = true;
        this.#hasHost = true;
        this.#hostStart = valueStart;
        this.#hostEnd = end - 2;
        break;
      case names.TE:
        if (latin1(this.bytes, valueStart, end - 2).toLowerCase() !== "trailers") this.#malformed = true;
        break;
      default:
        if (OF_CONNECTIONS[kind] === 1) this.#malformed = true;
    }
    this.at = end;
  }

  /**
   * Completes the head; false: the request is malformed (PROTOCOL_ERROR). `hasBody`: DATA will follow.
   * The head then stands in `bytes` from `start` to `at`.
   */
  finish(hasBody: boolean): boolean {
    if (this.#malformed || !this.#readPseudo(hasBody)) return false;
    if (this.tooLarge) {
      this.#fill();
      return true;
    }
    if (this.#cookie.length > 0) this.#append(COOKIE_LINE, this.#cookie);
    if (this.websocket) this.at = put(this.bytes, this.at, WEBSOCKET_LINES);
    else if (hasBody && this.contentLength < 0) this.at = put(this.bytes, this.at, CHUNKED_LINE);
    this.bytes[this.at++] = 0x0d;
    this.bytes[this.at++] = 0x0a;
    this.#writeRequestLine();
    return true;
  }

  /** True when the block can stand behind a body: it has no pseudo-headers (section 8.1). */
  get isTrailer(): boolean {
    return this.#seen === 0 && !this.#malformed && !this.tooLarge;
  }

  /** The lines of a trailer section, good until the next block. */
  trailer(): Uint8Array {
    return this.bytes.subarray(this.#base, this.at);
  }

  #keepPseudo(kind: number, nameLength: number, end: number): void {
    const bit = 1 << kind - FIRST_PSEUDO;
    if ((this.#seen & bit) !== 0) this.#malformed = true;
    this.#seen |= bit;
    const text = this.#pseudo[kind]!;
    const start = this.at + nameLength + 2;
    text.length = end - 2 - start;
    copyBytes(text.bytes, 0, this.bytes, start, end - 2);
  }

  /** RFC 9113 section 8.2.3: crumbs become one field again. */
  #keepCookie(start: number, end: number): void {
    const { bytes, length } = this.#cookie;
    const size = end - start + (length > 0 ? 2 : 0);
    if (length + size > bytes.length) return this.overflow();
    if (length > 0) {
      bytes[length] = 0x3b;
      bytes[length + 1] = 0x20;
    }
    copyBytes(bytes, length + size - (end - start), this.bytes, start, end);
    this.#cookie.length = length + size;
  }

  #keepLength(start: number, end: number): void {
    const value = contentLength(this.bytes, start, end);
    if (value < 0 || this.contentLength >= 0) this.#malformed = true;
    this.contentLength = value;
  }

  #has(kind: number): boolean {
    return (this.#seen & 1 << kind - FIRST_PSEUDO) !== 0;
  }

  #is(kind: number, text: string): boolean {
    const { bytes, length } = this.#pseudo[kind]!;
    return this.#has(kind) && length === text.length && latin1(bytes, 0, length) === text;
  }

  /** RFC 9113 section 8.3.1, RFC 8441 section 4. */
  #readPseudo(hasBody: boolean): boolean {
    const method = this.#pseudo[METHOD]!;
    if (!this.#has(METHOD) || !all(method, TOKEN)) return false;
    this.isHead = this.#is(METHOD, "HEAD");
    if (this.contentLength > 0 && !hasBody) return false;
    if (this.#has(AUTHORITY) && !this.#fitsHost()) return false;
    if (this.#is(METHOD, "CONNECT") && !this.#has(PROTOCOL)) {
      return this.#has(AUTHORITY) && !this.#has(SCHEME) && !this.#has(PATH);
    }
    if (this.#has(PROTOCOL)) {
      this.websocket = true;
      if (!this.#is(METHOD, "CONNECT") || !this.#is(PROTOCOL, "websocket")) return false;
      if (!this.#has(AUTHORITY) || this.contentLength >= 0 || !hasBody) return false;
    }
    if (!this.#is(SCHEME, "http") && !this.#is(SCHEME, "https")) return false;
    const path = this.#pseudo[PATH]!;
    if (!this.#has(PATH) || !all(path, TARGET)) return false;
    return path.bytes[0] === 0x2f || this.#is(PATH, "*") && this.#is(METHOD, "OPTIONS");
  }

  /** A `host` beside `:authority` must say the same. */
  #fitsHost(): boolean {
    const { bytes, length } = this.#pseudo[AUTHORITY]!;
    if (!all(this.#pseudo[AUTHORITY]!, FIELD_VALUE) || !validHost(bytes, 0, length)) return false;
    return !this.#hasHost ||
      latin1(this.bytes, this.#hostStart, this.#hostEnd).toLowerCase() ===
        latin1(bytes, 0, length).toLowerCase();
  }

  #append(name: Uint8Array, { bytes, length }: Text): void {
    const at = put(this.bytes, this.at, name);
    copyBytes(this.bytes, at, bytes, 0, length);
    this.bytes[at + length] = 0x0d;
    this.bytes[at + length + 1] = 0x0a;
    this.at = at + length + 2;
  }

  /** Writes the request line, and the host where no field has it, so that they end where the fields begin. */
  #writeRequestLine(): void {
    const method = this.#is(METHOD, "CONNECT") && this.websocket ? GET : this.#pseudo[METHOD]!;
    const target = this.#has(PATH) ? this.#pseudo[PATH]! : this.#pseudo[AUTHORITY]!;
    const host = this.#has(AUTHORITY) && !this.#hasHost ? this.#pseudo[AUTHORITY]! : null;
    const version = host === null ? LINE_END.length - 6 : LINE_END.length;
    const size = method.length + 1 + target.length + version + (host === null ? 0 : host.length + 2);
    const { bytes } = this;
    let at = this.start = this.#base - size;
    copyBytes(bytes, at, method.bytes, 0, method.length);
    at += method.length;
    bytes[at++] = 0x20;
    copyBytes(bytes, at, target.bytes, 0, target.length);
    at += target.length;
    copyBytes(bytes, at, LINE_END, 0, version);
    if (host === null) return;
    at += version;
    copyBytes(bytes, at, host.bytes, 0, host.length);
    bytes[at + host.length] = 0x0d;
    bytes[at + host.length + 1] = 0x0a;
  }

  /** A head as large as the one that had no room, so that it is answered, counted and logged as such. */
  #fill(): void {
    this.#writeRequestLine();
    this.at = this.#base + this.#headBytes;
    this.bytes.fill(0x78, this.#base, this.at);
  }
}

/** Builders of this thread, by their limit. */
const builders = new Map<number, RequestLines>();

/** The builder for heads of so many bytes: one for all connections, as it is used for one block at a time. */
export function requestLines(headBytes: number): RequestLines {
  let lines = builders.get(headBytes);
  if (lines === undefined) builders.set(headBytes, lines = new RequestLines(headBytes));
  return lines;
}

const GET: Text = { bytes: fromLatin1("GET"), length: 3 };

function all({ bytes, length }: Text, allowed: Uint8Array): boolean {
  for (let i = 0; i < length; i++) if (allowed[bytes[i]!] === 0) return false;
  return length > 0;
}
