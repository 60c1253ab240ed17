/**
 * The answers to one stream of HTTP/2: reads what the client's side of HTTP/1 writes, and tells it as header blocks and
 * spans of a body. What it reads is our own, so it may be strict, and a head always comes in one piece.
 */
import * as names from "../http/names.ts";
import {
  BodyReader,
  CHUNKED,
  DATA,
  END,
  FIXED,
  type Framing,
  MORE,
  NONE,
  UNTIL_CLOSE,
} from "../http1/body.ts";
import { DONE, Head, MAX_FIELDS, parseResponseHead, parseTrailer } from "../http1/head.ts";
import { contentLength } from "../http1/request.ts";
import { encodeField, encodeStatus, FIELD_OVERHEAD } from "../http2/encoder.ts";

/** Fields that say how an answer of HTTP/1 is framed, and what else is of its connection alone. */
const DROPPED = names.HOP_BY_HOP;

const scratchHead = new Head();

/** Told by `AnswerReader.read`. */
export interface AnswerEvents {
  /** A header block stands in `block` up to `length`, good only during the call; `last`: nothing follows it. */
  onFields(block: Uint8Array, length: number, last: boolean): void;
  /** Bytes of the body, where they were read. */
  onBody(start: number, end: number): void;
  /** The answer is complete, after its last body bytes. */
  onComplete(): void;
  /** From now on everything is body, until the stream ends: the protocol was switched. */
  onSwitched(): void;
}

export class AnswerReader {
  readonly #body = new BodyReader();
  #headRequest = false;
  #inBody = false;
  #switched = false;
  /** The answer has been complete. */
  done = false;

  /** Prepares for the answer to a request. */
  start(headRequest: boolean): void {
    this.#headRequest = headRequest;
    this.#inBody = this.#switched = this.done = false;
  }

  /** True when the end of the stream is the end of the answer. */
  get endsWithStream(): boolean {
    return this.#switched || this.#inBody && !this.done && this.#body.framing === UNTIL_CLOSE;
  }

  /** Reads all of `bytes` from `start` to `end`. False: that is no answer, which would be a mistake of ours. */
  read(bytes: Uint8Array, start: number, end: number, events: AnswerEvents): boolean {
    let at = start;
    while (at < end) {
      if (this.#switched) {
        events.onBody(at, end);
        return true;
      }
      if (this.done) return false;
      at = this.#inBody ? this.#readBody(bytes, at, end, events) : this.#readHead(bytes, at, end, events);
      if (at < 0) return false;
    }
    return true;
  }

  #readHead(bytes: Uint8Array, at: number, end: number, events: AnswerEvents): number {
    if (parseResponseHead(scratchHead, bytes, at, end, MAX_FIELDS) !== DONE) return -1;
    const { status } = scratchHead;
    if (status === 101) {
      this.#switched = true;
      // RFC 8441 section 5: what is 101 in HTTP/1 is a 200 here.
      const length = encode(scratchHead, bytes, 200);
      events.onFields(block, length, false);
      events.onSwitched();
      return scratchHead.end;
    }
    const length = encode(scratchHead, bytes, status);
    if (status < 200) {
      events.onFields(block, length, false);
      return scratchHead.end;
    }
    this.#inBody = true;
    this.#startBody(bytes);
    this.done = this.#body.done;
    events.onFields(block, length, this.done);
    if (this.done) events.onComplete();
    return scratchHead.end;
  }

  #readBody(bytes: Uint8Array, at: number, end: number, events: AnswerEvents): number {
    const body = this.#body;
    const step = body.next(bytes, at, end);
    if (step === DATA) {
      events.onBody(body.dataStart, body.dataEnd);
      if (body.done) this.#complete(events);
      return body.at;
    }
    if (step === MORE) return end;
    if (step !== END) return -1;
    this.#complete(events);
    return body.at;
  }

  #complete(events: AnswerEvents): void {
    this.done = true;
    const { trailer } = this.#body;
    if (trailer.length === 0) return events.onComplete();
    parseTrailer(scratchHead, trailer, 0, trailer.length, MAX_FIELDS);
    const length = encode(scratchHead, trailer, 0);
    events.onFields(block, length, true);
    events.onComplete();
  }

  #startBody(bytes: Uint8Array): void {
    const { status } = scratchHead;
    let framing: Framing = UNTIL_CLOSE;
    let length = 0;
    if (this.#headRequest || status === 204 || status === 304) framing = NONE;
    else if (scratchHead.find(names.TRANSFER_ENCODING) >= 0) framing = CHUNKED;
    else {
      const field = scratchHead.find(names.CONTENT_LENGTH);
      if (field >= 0) {
        framing = FIXED;
        length = contentLength(bytes, scratchHead.valueStart(field), scratchHead.valueEnd(field));
      }
    }
    this.#body.start(framing, length);
  }
}

/** The block that was encoded last. */
let block = new Uint8Array(32 * 1024);

/** Encodes the fields of a head, or of a trailer section (`status` 0), into `block`; returns its length. */
function encode(head: Head, bytes: Uint8Array, status: number): number {
  const most = head.end - head.start + FIELD_OVERHEAD * (head.count + 1);
  if (most > block.length) block = new Uint8Array(most);
  let at = status === 0 ? 0 : encodeStatus(block, 0, status);
  const { ids, count } = head;
  for (let i = 0; i < count; i++) {
    if (DROPPED[ids[i]!] === 1) continue;
    at = encodeField(
      block,
      at,
      bytes,
      head.nameStart(i),
      head.nameEnd(i),
      head.valueStart(i),
      head.valueEnd(i),
    );
  }
  return at;
}
