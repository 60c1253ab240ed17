/**
 * An answer of HTTP/2 as HTTP/1: takes the fields of one header block as they are decoded, and makes a response head of
 * them (RFC 9113 section 8.3.2). As strict as with requests: one a worker, used for one block after the other.
 */
import * as names from "../http/names.ts";
import { fromLatin1 } from "../http/grammar.ts";
import { type FieldSink, SPARE_BYTES } from "../http2/decoder.ts";
import { MALFORMED_FIELD, STATUS } from "../http2/field.ts";
import { contentLength } from "../http1/request.ts";
import { OF_CONNECTIONS } from "./http2_request.ts";
import { put } from "./request_head.ts";

const STATUS_LINE = fromLatin1("HTTP/1.1 000 \r\n");
const STATUS_AT = 9;
const CHUNKED_LINE = fromLatin1("transfer-encoding: chunked\r\n");
const EMPTY_LINE = fromLatin1("content-length: 0\r\n");
/** Room for what is added besides the fields. */
const ADDED_BYTES = 128;

export class ResponseLines implements FieldSink {
  readonly bytes: Uint8Array;
  readonly limit: number;
  at = STATUS_LINE.length;
  /** 0: there was none. */
  status = 0;
  /** Value of Content-Length; -1: there is none. */
  contentLength = -1;
  #malformed = false;
  #regular = false;

  /** `headBytes`: how many the fields may have together. */
  constructor(headBytes: number) {
    this.limit = STATUS_LINE.length + headBytes;
    this.bytes = new Uint8Array(this.limit + SPARE_BYTES + ADDED_BYTES);
    this.bytes.set(STATUS_LINE);
  }

  /** Prepares for a block. */
  reset(): void {
    this.at = STATUS_LINE.length;
    this.status = 0;
    this.contentLength = -1;
    this.#malformed = this.#regular = false;
  }

  overflow(): void {
    this.#malformed = true;
    // There is no room for any other.
    this.at = this.limit;
  }

  field(kind: number, nameLength: number, end: number): void {
    const valueStart = this.at + nameLength + 2;
    if (kind >= MALFORMED_FIELD) {
      if (kind !== STATUS || this.#regular || this.status > 0) this.#malformed = true;
      else this.#keepStatus(valueStart, end - 2);
      return;
    }
    this.#regular = true;
    // It has no place here (RFC 8441 section 5), and would be for another key than the client's.
    if (kind === names.SEC_WEBSOCKET_ACCEPT) return;
    if (OF_CONNECTIONS[kind] === 1) this.#malformed = true;
    if (kind === names.CONTENT_LENGTH) {
      const value = contentLength(this.bytes, valueStart, end - 2);
      if (value < 0 || this.contentLength >= 0) this.#malformed = true;
      this.contentLength = value;
    }
    this.at = end;
  }

  /** Completes a head, which then stands in `bytes` up to `at`; false: it is malformed. `chunked`: its body comes so. */
  finish(chunked: boolean, empty: boolean): boolean {
    if (this.#malformed || this.status === 0 || this.status === 101) return false;
    if (chunked) this.at = put(this.bytes, this.at, CHUNKED_LINE);
    else if (empty) this.at = put(this.bytes, this.at, EMPTY_LINE);
    this.bytes[this.at++] = 0x0d;
    this.bytes[this.at++] = 0x0a;
    return true;
  }

  /** Completes a head that says that the protocol was switched to that of WebSockets; false: it is malformed. */
  finishSwitch(accept: string): boolean {
    if (this.#malformed) return false;
    this.#writeStatus("101");
    const lines = fromLatin1(
      `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    this.at = put(this.bytes, this.at, lines);
    return true;
  }

  #writeStatus(status: string): void {
    for (let i = 0; i < 3; i++) this.bytes[STATUS_AT + i] = status.charCodeAt(i);
  }

  /** True when the block can stand behind a body. */
  get isTrailer(): boolean {
    return this.status === 0 && !this.#malformed;
  }

  /** The lines of a trailer section, good until the next block. */
  trailer(): Uint8Array {
    return this.bytes.subarray(STATUS_LINE.length, this.at);
  }

  #keepStatus(start: number, end: number): void {
    const value = contentLength(this.bytes, start, end);
    if (end - start !== 3 || value < 100 || value > 999) this.#malformed = true;
    this.status = value;
    for (let i = 0; i < 3; i++) this.bytes[STATUS_AT + i] = this.bytes[start + i]!;
  }
}
