/**
 * The body of one request on its way to a server: what is kept of it, so that the request can be sent again, what a
 * mirror sees of it, and how much it may be. It must not know of attempts or answers.
 */
import type { ErrorCode } from "../base/errors.ts";
import { CHUNKED, END, MORE, NONE, TOO_LARGE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { Stream } from "../net/stream.ts";
import { BodyRelay } from "./body_relay.ts";
import type { ChunkEncoder } from "./chunks.ts";
import { KeptBody } from "./kept_body.ts";
import type { Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";
import { maySkip } from "./unread_body.ts";

export class RequestBody {
  readonly relay: BodyRelay;
  readonly #client: Stream;
  readonly #record: Record;
  readonly #kept: KeptBody;
  /** Largest it may be; 0: no limit. */
  #limit = 0;
  #skippable = false;
  /** When it began to be awaited; moved on by what the server held it up. 0: it is not yet. */
  #since = 0;
  /** 0: the server does not hold it up. */
  #pausedAt = 0;

  constructor(client: Stream, request: UpstreamRequest, record: Record, encoder: ChunkEncoder) {
    this.relay = new BodyRelay(encoder);
    this.#client = client;
    this.#record = record;
    this.#kept = new KeptBody(request);
  }

  /** True when every byte of it has been taken from the client. */
  get done(): boolean {
    return this.relay.done;
  }

  /** Part of it has left and is not kept: the request cannot be sent again. */
  get lost(): boolean {
    return this.#kept.lost;
  }

  /** It has come, or what is left of it may be read for nothing: the client's connection can stay. */
  get dispensable(): boolean {
    return this.relay.done || this.#skippable;
  }

  start(info: RequestInfo): void {
    const { framing, contentLength } = info;
    this.#kept.start();
    this.#limit = this.#since = this.#pausedAt = 0;
    this.#skippable = maySkip(info, this.#client);
    this.relay.start(framing, contentLength, framing === CHUNKED);
  }

  /** False: it says that it is larger than it may be; 0: no limit. */
  limitTo(limit: number, { contentLength }: RequestInfo): boolean {
    this.#limit = limit;
    return limit === 0 || contentLength <= limit;
  }

  /** The server does not take more of it for now: no fault of the client's. Returns `now`. */
  pause(now: number): number {
    if (this.#pausedAt === 0) this.#pausedAt = now;
    return now;
  }

  /** When more of it must have come, and at the least rate (bytes a second, 0: none) enough over all. */
  dueAt(now: number, patienceMs: number, rate: number): number {
    if (this.#since === 0) this.#since = now;
    if (this.#pausedAt > 0) this.#since += now - this.#pausedAt;
    this.#pausedAt = 0;
    const due = now + patienceMs;
    return rate === 0 ? due : Math.min(due, this.#since + patienceMs + this.relay.total / rate * 1000);
  }

  /** How many bytes it wants behind its head. */
  spare(info: RequestInfo): number {
    return this.#kept.spare(info);
  }

  /** Keeps a small one that came with its head; returns its size, or 0. */
  keep(info: RequestInfo, bytes: Uint8Array, at: number, end: number): number {
    const size = this.#kept.whole(info, bytes, at, end);
    if (size > 0) this.relay.start(NONE, 0, false);
    this.#record.bytesIn += size;
    return size;
  }

  /** Passes bytes on, as far as `relay.at`; returns what is wrong with them, or null. `fresh`: they are being delivered. */
  take(server: Stream, bytes: Uint8Array, at: number, end: number, fresh: boolean): ErrorCode | null {
    const { relay } = this;
    // Before the buffer may be given away.
    this.#kept.copy(bytes, at, end);
    const step = relay.move(fresh ? this.#client : null, server, bytes, at, end);
    const moved = relay.at - at;
    this.#record.bytesIn += moved;
    this.#kept.moved(moved);
    if (step !== END && step !== MORE) return step === TOO_LARGE ? "headTooLarge" : "badChunk";
    if (this.#limit > 0 && relay.total > this.#limit) return "bodyTooLarge";
    if (!relay.flowing && step === MORE) this.#client.pause();
    return null;
  }

  /** Takes what is body for nothing; the offset behind it, or -1: malformed. */
  skip(bytes: Uint8Array, at: number, end: number): number {
    const step = this.relay.skip(bytes, at, end);
    return step === END || step === MORE ? this.relay.at : -1;
  }
}

/** True for a head that is larger than its route takes. */
export function tooLarge(
  { start, end, count }: Head,
  limits: { readonly head: number; readonly headers: number },
): boolean {
  return end - start > limits.head || count > limits.headers;
}
