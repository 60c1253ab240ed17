/**
 * One request over HTTP/2 and its answer, on a connection of its own (RFC 9113), for checks.
 *
 * What it says never needs more than the windows a server opens by itself: bodies of checks are small, and a server
 * may answer less than the window that it has. Pure.
 */
import { fromLatin1, latin1, utf8AsLatin1 } from "../http/grammar.ts";
import { FieldDecoder, type FieldSink, SPARE_BYTES } from "../http2/decoder.ts";
import { encodeField, encodeIndexed, encodeText, FIELD_OVERHEAD } from "../http2/encoder.ts";
import { LINE_OVERHEAD } from "../http2/field.ts";
import * as h2 from "../http2/frame.ts";
import { type FrameEvents, FrameReader, FROM_SERVER } from "../http2/reader.ts";
import { LISTEN, type Turn } from "./check_kind.ts";

/** Entries of the static table (RFC 7541 appendix A). */
const METHOD_GET = 2, METHOD_POST = 3, SCHEME_HTTP = 6, SCHEME_HTTPS = 7, AUTHORITY = 1, METHOD = 2, PATH = 4;
/** The only stream. */
const STREAM = 1;
/** Of all fields of an answer. */
const FIELD_BYTES = 8 * 1024;
const GOODBYE = h2.whole(h2.GOAWAY, 0, 0, 0, h2.NO_ERROR);

export interface Http2Request {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly secure: boolean;
  /** Names in any case, values as latin-1. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

export class Http2Exchange implements FrameEvents, FieldSink {
  /** Of the final answer; 0: it has not come. */
  status = 0;
  /** By name: those of the answer, then also those behind its body. */
  readonly fields = new Map<string, string>();
  /** What came of the body since it was last taken, as latin-1. */
  #body = "";
  /** The answer is complete. */
  done = false;
  /** What ended the exchange; null: nothing has. */
  fault: string | null = null;
  readonly #request: Http2Request;
  readonly #reader = new FrameReader(this, FROM_SERVER);
  readonly #decoder = new FieldDecoder();
  #waiting: Uint8Array = new Uint8Array(0);
  #sending: Uint8Array[] = [];
  #interim = false;
  /** Bytes of all fields so far: an entry of the table may come as often as it fits into a block. */
  #fieldBytes = 0;
  readonly bytes = new Uint8Array(FIELD_BYTES + SPARE_BYTES);
  readonly limit = FIELD_BYTES;
  at = 0;

  constructor(request: Http2Request) {
    this.#request = request;
  }

  /** What is said first. */
  begin(): Uint8Array {
    const block = headerBlock(this.#request);
    const { body } = this.#request;
    const empty = body.length === 0;
    return joined([
      h2.PREFACE,
      h2.settingsFrame([[h2.SETTINGS_ENABLE_PUSH, 0]]),
      framed(h2.HEADERS, h2.END_HEADERS | (empty ? h2.END_STREAM : 0), block),
      ...(empty ? [] : [framed(h2.DATA, h2.END_STREAM, body)]),
    ]);
  }

  /** Takes what the server said. */
  receive(bytes: Uint8Array): void {
    this.#waiting = this.#waiting.length === 0 ? bytes : joined([this.#waiting, bytes]);
    const end = this.#reader.read(this.#waiting, 0, this.#waiting.length, FIELD_BYTES);
    if (end < 0) {
      this.fault ??= this.#reader.settled
        ? "the answer is malformed HTTP/2"
        : "the server does not speak HTTP/2";
    } else this.#waiting = this.#waiting.slice(end);
  }

  /** Takes what has come of the body, as latin-1. */
  body(): string {
    const body = this.#body;
    this.#body = "";
    return body;
  }

  /** What follows: what must be said meanwhile, or the verdict and a goodbye. */
  turn({ verdict }: Turn): Turn {
    if (verdict !== undefined) this.#sending.push(GOODBYE);
    if (this.#sending.length === 0) return LISTEN;
    return { send: joined(this.#sending.splice(0)), ...(verdict === undefined ? {} : { verdict }) };
  }

  field(_kind: number, nameLength: number, end: number): void {
    this.#fieldBytes += end;
    if (this.#fieldBytes > FIELD_BYTES) return this.overflow();
    const name = latin1(this.bytes, 0, nameLength);
    const value = latin1(this.bytes, nameLength + 2, end - 2);
    if (name === ":status") {
      this.#interim = value.startsWith("1");
      if (!this.#interim) this.status = Number(value);
    } else if (!this.#interim) {
      const before = this.fields.get(name);
      this.fields.set(name, before === undefined ? value : `${before}, ${value}`);
    }
  }

  overflow(): void {
    this.fault ??= "the headers of the answer are too large";
  }

  onDataFrame(
    _id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    _size: number,
    last: boolean,
  ): number {
    this.#body += latin1(bytes, start, end);
    this.done ||= last;
    return h2.NO_ERROR;
  }

  onHeadersFrame(id: number): number {
    return id === STREAM ? h2.NO_ERROR : h2.PROTOCOL_ERROR;
  }

  onBlock(_id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number {
    if (!this.#decoder.decode(bytes, start, end, this)) return h2.COMPRESSION_ERROR;
    this.done ||= last && this.status > 0;
    return h2.NO_ERROR;
  }

  onPriority(_id: number, code: number): number {
    return code;
  }

  onResetFrame(_id: number, code: number): number {
    this.fault ??= `the server reset the stream (error ${code})`;
    return h2.NO_ERROR;
  }

  onGoaway(lastId: number): number {
    if (lastId < STREAM) this.fault ??= "the server takes no more requests (GOAWAY)";
    return h2.NO_ERROR;
  }

  onSettings(_bytes: Uint8Array, start: number, end: number): number {
    if ((end - start) % 6 !== 0) return h2.FRAME_SIZE_ERROR;
    this.#sending.push(h2.SETTINGS_ACK);
    return h2.NO_ERROR;
  }

  onPing(bytes: Uint8Array, start: number): number {
    const pong = new Uint8Array(h2.HEADER_BYTES + 8);
    h2.frameHeader(pong, 0, 8, h2.PING, h2.ACK, 0);
    pong.set(bytes.subarray(start, start + 8), h2.HEADER_BYTES);
    this.#sending.push(pong);
    return h2.NO_ERROR;
  }

  onWindowFrame(): number {
    return h2.NO_ERROR;
  }

  onIdleFrame(): number {
    return h2.NO_ERROR;
  }
}

function headerBlock({ method, path, authority, secure, headers }: Http2Request): Uint8Array {
  const size = method.length + path.length + authority.length + 4 * FIELD_OVERHEAD +
    headers.reduce((sum, [name, value]) => sum + name.length + value.length + FIELD_OVERHEAD, 0);
  const out = new Uint8Array(size);
  const text = (at: number, index: number, value: string) =>
    encodeText(out, at, index, fromLatin1(value), 0, value.length);
  const known = method === "GET" ? METHOD_GET : method === "POST" ? METHOD_POST : 0;
  let at = known > 0 ? encodeIndexed(out, 0, known) : text(0, METHOD, method);
  at = encodeIndexed(out, at, secure ? SCHEME_HTTPS : SCHEME_HTTP);
  at = text(at, AUTHORITY, authority);
  at = text(at, PATH, utf8AsLatin1(path));
  for (const [name, value] of headers) {
    const line = fromLatin1(`${name}: ${value}`);
    at = encodeField(out, at, line, 0, name.length, name.length + LINE_OVERHEAD - 2, line.length);
  }
  return out.subarray(0, at);
}

function framed(type: number, flags: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(h2.HEADER_BYTES + payload.length);
  h2.frameHeader(out, 0, payload.length, type, flags, STREAM);
  out.set(payload, h2.HEADER_BYTES);
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
