/**
 * What goes out on one stream of HTTP/2: reads the messages of HTTP/1 that the proxy writes, and tells them as header
 * blocks and spans of a body. What it reads is our own, so it may be strict, and a head always comes in one piece.
 */
import { fromLatin1, latin1 } from "../http/grammar.ts";
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
import { DONE, Head, MAX_FIELDS, parseRequestHead, parseResponseHead, parseTrailer } from "../http1/head.ts";
import { contentLength } from "../http1/request.ts";
import { encodeField, encodeIndexed, encodeStatus, encodeText, FIELD_OVERHEAD } from "../http2/encoder.ts";

const scratchHead = new Head();

/** Told by `MessageReader.read`. */
export interface MessageEvents {
  /** A header block stands in `block` up to `length`, good only during the call; `last`: nothing follows it. */
  onFields(block: Uint8Array, length: number, last: boolean): void;
  /** Bytes of the body, where they were read. */
  onBody(start: number, end: number): void;
  /** The message is complete, after its last body bytes. */
  onComplete(): void;
  /** From now on everything is body, until the stream ends: the protocol was switched. */
  onSwitched(): void;
  /** The peer does not take what is asked for: nothing is sent. */
  onRefused(): void;
}

export abstract class MessageReader {
  /** The message has been complete. */
  done = false;
  protected readonly body = new BodyReader();
  protected switched = false;
  #inBody = false;

  /** Prepares for a message. */
  start(): void {
    this.#inBody = this.switched = this.done = false;
  }

  /** True when the end of the stream is the end of the message. */
  get endsWithStream(): boolean {
    return this.switched || this.#inBody && !this.done && this.body.framing === UNTIL_CLOSE;
  }

  /** Reads all of `bytes` from `start` to `end`. False: that is no message, which would be a mistake of ours. */
  read(bytes: Uint8Array, start: number, end: number, events: MessageEvents): boolean {
    let at = start;
    while (at < end) {
      if (this.switched) {
        events.onBody(at, end);
        return true;
      }
      if (this.done) return false;
      at = this.#inBody ? this.#readBody(bytes, at, end, events) : this.readHead(bytes, at, end, events);
      if (at < 0) return false;
    }
    return true;
  }

  /** Reads a head, and returns the offset behind it, or -1. */
  protected abstract readHead(bytes: Uint8Array, at: number, end: number, events: MessageEvents): number;

  /** The head has been encoded to `length` bytes of `block`, and a body framed like this follows. */
  protected begin(framing: Framing, size: number, length: number, events: MessageEvents): number {
    this.#inBody = true;
    this.body.start(framing, size);
    this.done = this.body.done;
    events.onFields(block, length, this.done);
    if (this.done) events.onComplete();
    return scratchHead.end;
  }

  #readBody(bytes: Uint8Array, at: number, end: number, events: MessageEvents): number {
    const { body } = this;
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

  #complete(events: MessageEvents): void {
    this.done = true;
    const { trailer } = this.body;
    if (trailer.length > 0) {
      parseTrailer(scratchHead, trailer, 0, trailer.length, MAX_FIELDS);
      const length = encodeFields(scratchHead, trailer, reserve(scratchHead), OF_CONNECTIONS);
      events.onFields(block, length, true);
    }
    events.onComplete();
  }
}

/** Answers, from the client's side of the proxy. */
export class AnswerReader extends MessageReader {
  /** The answer is to a HEAD, and has no body. */
  headRequest = false;

  protected readHead(bytes: Uint8Array, at: number, end: number, events: MessageEvents): number {
    if (parseResponseHead(scratchHead, bytes, at, end, MAX_FIELDS) !== DONE) return -1;
    const { status } = scratchHead;
    const fieldsAt = encodeStatus(block, reserve(scratchHead), status === 101 ? 200 : status);
    const length = encodeFields(scratchHead, bytes, fieldsAt, NOT_IN_ANSWERS);
    if (status === 101) {
      // RFC 8441 section 5: what is 101 in HTTP/1 is a 200 here.
      this.switched = true;
      events.onFields(block, length, false);
      events.onSwitched();
      return scratchHead.end;
    }
    if (status < 200) {
      events.onFields(block, length, false);
      return scratchHead.end;
    }
    const bodyless = this.headRequest || status === 204 || status === 304;
    return this.begin(...(bodyless ? NO_BODY : framingOf(bytes, UNTIL_CLOSE)), length, events);
  }
}

/** Requests, from the server's side of the proxy. */
export class RequestReader extends MessageReader {
  isHead = false;
  /** The server takes WebSockets within streams. */
  takesWebSockets = false;
  /** What the client of a WebSocket wants an answer to; empty: the request is for none. */
  websocketKey = "";

  constructor(readonly scheme: "http" | "https") {
    super();
  }

  protected readHead(bytes: Uint8Array, at: number, end: number, events: MessageEvents): number {
    if (parseRequestHead(scratchHead, bytes, at, end, MAX_FIELDS) !== DONE) return -1;
    const { start, methodEnd, targetStart, targetEnd } = scratchHead;
    const host = scratchHead.find(names.HOST);
    const websocket = this.#readUpgrade(bytes);
    if (websocket === null) {
      events.onRefused();
      this.done = true;
      return end;
    }
    this.isHead = methodEnd - start === 4 && bytes[start] === 0x48;
    let out = reserve(scratchHead);
    out = websocket
      ? encodeText(block, out, METHOD_INDEX, CONNECT, 0, CONNECT.length)
      : encodeText(block, out, METHOD_INDEX, bytes, start, methodEnd);
    out = encodeIndexed(block, out, this.scheme === "http" ? HTTP_INDEX : HTTPS_INDEX);
    out = encodeText(block, out, PATH_INDEX, bytes, targetStart, targetEnd);
    if (host >= 0) {
      const valueStart = scratchHead.valueStart(host);
      out = encodeText(block, out, AUTHORITY_INDEX, bytes, valueStart, scratchHead.valueEnd(host));
    }
    if (websocket) {
      const { length } = PROTOCOL_WEBSOCKET;
      out = encodeField(block, out, PROTOCOL_WEBSOCKET, 0, PROTOCOL_BYTES, PROTOCOL_BYTES + 1, length);
      this.switched = true;
      events.onFields(block, encodeFields(scratchHead, bytes, out, NOT_IN_WEBSOCKETS), false);
      return scratchHead.end;
    }
    // We pass trailers on, and gRPC's servers ask whether (RFC 9113 section 8.2.2 allows this value alone).
    out = encodeField(block, out, TE_TRAILERS, 0, 2, 3, TE_TRAILERS.length);
    const length = encodeFields(scratchHead, bytes, out, NOT_IN_REQUESTS);
    return this.begin(...framingOf(bytes, NONE), length, events);
  }

  /** True: a WebSocket is asked for, and can be had; null: what is asked for cannot be had of this server. */
  #readUpgrade(bytes: Uint8Array): boolean | null {
    this.websocketKey = "";
    const upgrade = scratchHead.find(names.UPGRADE);
    if (upgrade < 0) return false;
    const protocol = latin1(bytes, scratchHead.valueStart(upgrade), scratchHead.valueEnd(upgrade));
    // An offer of another protocol may be passed over (RFC 9110 section 7.8).
    if (protocol.toLowerCase() !== "websocket") return false;
    const key = scratchHead.find(names.SEC_WEBSOCKET_KEY);
    if (!this.takesWebSockets || key < 0) return null;
    this.websocketKey = latin1(bytes, scratchHead.valueStart(key), scratchHead.valueEnd(key));
    return true;
  }
}

/** Fields that say how a message of HTTP/1 is framed, and what else is of its connection alone. */
const OF_CONNECTIONS = names.HOP_BY_HOP;
/** RFC 8441 section 5. */
const NOT_IN_ANSWERS = OF_CONNECTIONS.slice();
NOT_IN_ANSWERS[names.SEC_WEBSOCKET_ACCEPT] = 1;
const NOT_IN_REQUESTS = OF_CONNECTIONS.slice();
NOT_IN_REQUESTS[names.HOST] = 1;
/** RFC 8441 section 5: the key has no place there. */
const NOT_IN_WEBSOCKETS = NOT_IN_REQUESTS.slice();
NOT_IN_WEBSOCKETS[names.SEC_WEBSOCKET_KEY] = 1;
const TE_TRAILERS = fromLatin1("te:trailers");
const CONNECT = fromLatin1("CONNECT");
const PROTOCOL_WEBSOCKET = fromLatin1(":protocol websocket");
const PROTOCOL_BYTES = ":protocol".length;
/** In the static table (RFC 7541 appendix A). */
const AUTHORITY_INDEX = 1, METHOD_INDEX = 2, PATH_INDEX = 4, HTTP_INDEX = 6, HTTPS_INDEX = 7;
/** More than the pseudo-headers, and what is added, take besides their texts. */
const ADDED_BYTES = 64;
const NO_BODY: [Framing, number] = [NONE, 0];

/** The block that was encoded last. */
let block = new Uint8Array(32 * 1024);

/** Makes sure that `block` has room for a head; answers where it begins. */
function reserve(head: Head): number {
  const most = head.end - head.start + FIELD_OVERHEAD * (head.count + 1) + ADDED_BYTES;
  if (most > block.length) block = new Uint8Array(most);
  return 0;
}

/** Encodes the fields of a head behind `at`; returns the length of the block. */
function encodeFields(head: Head, bytes: Uint8Array, at: number, dropped: Uint8Array): number {
  const { ids, count } = head;
  for (let i = 0; i < count; i++) {
    if (dropped[ids[i]!] === 1) continue;
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

/** How the body of `scratchHead` is framed; `without`: where no field says so. */
function framingOf(bytes: Uint8Array, without: Framing): [Framing, number] {
  if (scratchHead.find(names.TRANSFER_ENCODING) >= 0) return [CHUNKED, 0];
  const field = scratchHead.find(names.CONTENT_LENGTH);
  if (field < 0) return [without, 0];
  return [FIXED, contentLength(bytes, scratchHead.valueStart(field), scratchHead.valueEnd(field))];
}
