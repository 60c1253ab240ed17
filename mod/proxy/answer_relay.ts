/**
 * Passes a server's answer on to the client: its head rewritten, its body framed anew, in as few writes as possible.
 *
 * It says what came of the bytes; what follows from that (the next request, another server, an error) is the
 * exchange's to decide. It must not know pools or retries.
 */
import { copyBytes } from "../base/bytes.ts";
import type { CompressSnapshot } from "../config/snapshot.ts";
import { CHUNKED, END, FIXED, MORE, NONE, UNTIL_CLOSE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import { type BufferPool, SMALL_BYTES } from "../net/buffers.ts";
import type { Stream } from "../net/stream.ts";
import type { Compressors } from "../compress/compressor.ts";
import { judge, type Wish, wishOf } from "../compress/judge.ts";
import type { RequestFacts } from "../route/match.ts";
import { BodyRelay, type BodySource, type BodyTap } from "./body_relay.ts";
import type { Changes } from "./changes.ts";
import { CompressedBody } from "./compressed_body.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { Record } from "./record.ts";
import {
  composeResponse,
  RESPONSE_ADDED_BYTES,
  type ResponsePlan,
  roomForCompression,
} from "./response_head.ts";
import type { RequestStick } from "./sticky.ts";

/** More of the answer is to come. */
export const ONGOING = 0;
/** It is complete, and the bytes with it. */
export const COMPLETE = 1;
/** It is complete, and the server sent more than that. */
export const OVERLONG = 2;
export const BROKEN = 3;
export type Relayed = 0 | 1 | 2 | 3;

const NOTHING = new Uint8Array(0);

export class AnswerRelay {
  readonly #client: Stream;
  readonly #buffers: BufferPool;
  readonly #record: Record;
  readonly #body: BodyRelay;
  /** Of the session that the answer is to be in; null: it is in none. */
  stick: RequestStick | null = null;
  readonly #changes: Changes;
  readonly #plan: ResponsePlan = {
    framing: NONE,
    keepAlive: true,
    minor: 1,
    hsts: NOTHING,
    cacheStatus: "",
    edit: null,
    compression: null,
  };
  /** What the request says of compression; null: the route has none. */
  #wish: Wish | null = null;
  /** Made with the first answer that is compressed. */
  #compressed: CompressedBody | null = null;
  /** The body of this answer is, and counts its bytes. */
  #compressing = false;

  constructor(
    client: Stream,
    buffers: BufferPool,
    record: Record,
    encoder: ChunkEncoder,
    changes: Changes,
  ) {
    this.#client = client;
    this.#buffers = buffers;
    this.#record = record;
    this.#body = new BodyRelay(encoder);
    this.#changes = changes;
  }

  /** Prepares for the answer to a request of this minor version. `hsts`: a line to add, or nothing. */
  start(minor: number, hsts: Uint8Array): void {
    this.#plan.minor = minor;
    this.#plan.hsts = hsts;
    this.#plan.cacheStatus = "";
    this.#plan.compression = null;
    this.#wish = null;
    this.stick = null;
  }

  /** The answer may be compressed, as the request (`facts`) would have it. */
  compress(policy: CompressSnapshot, facts: RequestFacts, compressors: Compressors): void {
    this.#wish = wishOf(policy, facts, compressors.encodings);
    this.#compressed ??= new CompressedBody(compressors, this.#client, this.#record, this.#body.encoder);
  }

  /** Tells in the answer's head how the cache took the request. `line`: or nothing. */
  tell(line: string): void {
    this.#plan.cacheStatus = line;
  }

  /** Sees the body as it comes from a server; null: nobody does. */
  set tap(tap: BodyTap | null) {
    this.#body.tap = tap;
  }

  /** The exchange is over, whatever of the answer has come. */
  close(): void {
    this.#body.tap = null;
    this.#compressed?.close();
  }

  /** True when the client's connection may be used again behind this answer. */
  get keepAlive(): boolean {
    return this.#plan.keepAlive;
  }

  /** After bytes were relayed: false when the client wants us to wait. */
  get flowing(): boolean {
    return this.#body.flowing;
  }

  /** Passes an interim answer (1xx) on, but not to HTTP/1.0; false: the client wants us to wait. */
  interim(head: Head, info: ResponseInfo, bytes: Uint8Array): boolean {
    return this.#plan.minor === 0 || this.#writeHead(head, info, bytes, head.end);
  }

  /** Passes a 101 on, and what came with it of the new protocol. */
  switching(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): void {
    this.#writeHead(head, info, bytes, end);
  }

  /**
   * Passes the head of the final answer on, and what came of its body. `mayKeep`: all else allows the client's
   * connection to stay; `from`: the stream that delivers these bytes right now, or null.
   */
  head(
    head: Head,
    info: ResponseInfo,
    bytes: Uint8Array,
    end: number,
    mayKeep: boolean,
    from: BodySource | null,
  ): Relayed {
    const plan = this.#plan;
    const unknownLength = info.framing === CHUNKED || info.framing === UNTIL_CLOSE;
    plan.framing = unknownLength ? (plan.minor === 1 ? CHUNKED : UNTIL_CLOSE) : info.framing;
    const compressing = this.#wish !== null && this.#compresses(this.#wish, head, info, bytes);
    this.#compressing = compressing;
    if (compressing) plan.framing = plan.minor === 1 ? CHUNKED : UNTIL_CLOSE;
    plan.keepAlive = mayKeep && plan.framing !== UNTIL_CLOSE;
    const chunked = plan.framing === CHUNKED;
    this.#body.start(info.framing, info.contentLength, chunked, compressing ? this.#compressed : null);
    const rest = end - head.end;
    if (!compressing && info.framing === FIXED && rest === info.contentLength && rest <= SMALL_BYTES) {
      this.#body.tap?.onBody(bytes, head.end, end);
      this.#writeHead(head, info, bytes, end);
      return COMPLETE;
    }
    this.#writeHead(head, info, bytes, head.end);
    if (this.#body.done) return rest === 0 ? COMPLETE : OVERLONG;
    return rest > 0 ? this.bytes(bytes, head.end, end, from) : ONGOING;
  }

  /** Passes on bytes that follow the head. */
  bytes(bytes: Uint8Array, start: number, end: number, from: BodySource | null): Relayed {
    const body = this.#body;
    const before = body.total;
    const step = body.move(from, this.#client, bytes, start, end);
    if (!this.#compressing) this.#record.bytesOut += body.total - before;
    if (step === END) return body.at === end ? COMPLETE : OVERLONG;
    return step === MORE ? ONGOING : BROKEN;
  }

  /** The server ended its side: true when that completes the answer. */
  end(): boolean {
    if (!this.#body.endsWithStream) return false;
    this.#body.endOfStream(this.#client);
    return true;
  }

  /** Decides what becomes of the head; true: the body goes through a compressor, which is there. */
  #compresses(wish: Wish, head: Head, info: ResponseInfo, bytes: Uint8Array): boolean {
    const plan = this.#plan;
    plan.compression = judge(wish, head, bytes, info.contentLength);
    const encoding = plan.compression?.encoding ?? null;
    if (encoding === null || info.framing === NONE) return false;
    if (this.#compressed!.start(encoding, wish.policy.levels[encoding], plan.minor === 1)) return true;
    this.#record.uncompressed = true;
    plan.compression = judge({ ...wish, encoding: null }, head, bytes, info.contentLength);
    return false;
  }

  /** Writes the head and what of `bytes` follows it up to `end`. */
  #writeHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): boolean {
    const plan = this.#plan;
    // An interim answer (1xx) is the server's own.
    const ours = head.status >= 200 || head.status === 101;
    plan.edit = ours ? this.#changes.edit : null;
    const editor = ours && this.stick !== null ? this.stick.onAnswer(head, bytes) : null;
    const room = (plan.edit === null ? 0 : this.#changes.prepareAnswer(head, bytes)) +
      (plan.compression === null ? 0 : roomForCompression(plan.compression)) +
      (editor === null ? 0 : editor.room);
    const out = this.#buffers.atLeast(
      end - head.start + RESPONSE_ADDED_BYTES + plan.hsts.length + plan.cacheStatus.length + room,
    );
    let length = composeResponse(out.bytes, head, info, bytes, this.#plan);
    if (editor !== null) length = editor.edit(out.bytes, length);
    if (end > head.end) {
      copyBytes(out.bytes, length, bytes, head.end, end);
      length += end - head.end;
    }
    this.#record.bytesOut += length;
    return this.#client.writeLease(out, 0, length);
  }
}
