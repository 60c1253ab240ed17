/**
 * A copy of a request for a mirror's pool, made while the request itself is read, and of bytes of its own: the request
 * may still change on its way. A copy that would be too much is dropped and counted; nothing waits for it.
 */
import { LISTENER_COLUMN } from "../base/counters.ts";
import { CHUNKED, type Framing } from "../http1/body.ts";
import type { RequestInfo } from "../http1/request.ts";
import { fromLatin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { BodyRelay, BodyTap } from "./body_relay.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { LiveMirror, ProxyEnvironment } from "./environment.ts";
import { hashOfRequest } from "./hash_key.ts";
import { HeldBytes } from "./held.ts";
import { type CopiedRequest, type LoneOwner, LoneRequest } from "./lone_request.ts";
import type { UpstreamRequest } from "./request_head.ts";

const CRLF = fromLatin1("\r\n");
const LAST_CHUNK = fromLatin1("0\r\n\r\n");
/** Room that the framing of a chunk takes, at most. */
const CHUNK_BYTES = 12;
/** Of an answer that is longer the rest is not read: that would cost more than a new connection. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What of its request a copy has to know later. */
type Facts = Omit<CopiedRequest, "lease" | "start" | "end">;

/** The copies of the requests of one exchange. */
export class Mirroring {
  readonly #client: ClientConnection;
  readonly #request: UpstreamRequest;
  readonly #body: BodyRelay;
  /** Not sent yet. */
  #copy: MirrorCopy | null = null;

  constructor(client: ClientConnection, request: UpstreamRequest, body: BodyRelay) {
    this.#client = client;
    this.#request = request;
    this.#body = body;
  }

  /** Begins a copy of a request whose head is composed, and its body too when it is whole. */
  begin(mirror: LiveMirror, head: Head, info: RequestInfo, bytes: Uint8Array): void {
    const { address, environment, listener: { live } } = this.#client;
    const hash = hashOfRequest(mirror.pool.snapshot, address, head, info, bytes, environment.facts);
    this.#copy = MirrorCopy.begin(mirror, environment, info, live.snapshot.row, hash);
    if (this.#copy === null) return;
    this.#copy.gather(this.#request);
    if (!this.#body.done) this.#body.tap = this.#copy;
  }

  /** Sends the copy, when the request is whole by now. */
  advance(): void {
    const copy = this.#copy;
    if (copy === null || !this.#body.done) return;
    this.#copy = this.#body.tap = null;
    copy.send();
  }

  /** The request is over: a copy that is not sent by now never will be. */
  drop(): void {
    this.#copy?.drop();
    this.#copy = this.#body.tap = null;
  }
}

class MirrorCopy implements BodyTap, LoneOwner {
  readonly #mirror: LiveMirror;
  readonly #environment: ProxyEnvironment;
  readonly #facts: Facts;
  /** Of the listener, in the counters. */
  readonly #row: number;
  readonly #chunked: boolean;
  /** Head and body. */
  readonly #held: HeldBytes;
  /** Bytes of the body, with its framing, that may still come. */
  #room: number;
  /** Bytes of the answer. */
  #answered = 0;

  /** A copy of the request of `info`, or null when there is none: by chance, or because it would be too much. */
  static begin(
    mirror: LiveMirror,
    environment: ProxyEnvironment,
    { upgrade, framing, contentLength, isHead, idempotent }: RequestInfo,
    row: number,
    hash: number,
  ): MirrorCopy | null {
    const { share, body, requests } = mirror.snapshot;
    if (share < 1 && mirror.random() >= share) return null;
    // A connection that changes its protocol has no answer that could be thrown away.
    if (upgrade || contentLength > body || mirror.pending >= requests) {
      environment.counters.addListener(row, LISTENER_COLUMN.mirrorsSkipped, 1);
      return null;
    }
    mirror.pending++;
    return new MirrorCopy(mirror, environment, { isHead, idempotent, hash }, row, framing);
  }

  private constructor(
    mirror: LiveMirror,
    environment: ProxyEnvironment,
    facts: Facts,
    row: number,
    framing: Framing,
  ) {
    this.#mirror = mirror;
    this.#environment = environment;
    this.#facts = facts;
    this.#row = row;
    this.#chunked = framing === CHUNKED;
    this.#held = new HeldBytes(environment.buffers);
    this.#room = mirror.snapshot.body;
  }

  /** Takes a head, behind which the body is still to come unless it is there. */
  gather({ lease, length }: UpstreamRequest): void {
    this.#held.keep(lease!.bytes, 0, length);
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    this.#room -= end - start + (this.#chunked ? CHUNK_BYTES : 0);
    if (this.#room < 0) return this.#held.drop();
    if (!this.#chunked) return this.#held.append(bytes.subarray(start, end));
    this.#held.append(fromLatin1(`${(end - start).toString(16)}\r\n`));
    this.#held.append(bytes.subarray(start, end));
    this.#held.append(CRLF);
  }

  /** The request is whole: the copy is sent. */
  send(): void {
    const held = this.#held;
    if (this.#room < 0) return this.drop();
    if (this.#chunked) held.append(LAST_CHUNK);
    const { start, end } = held;
    this.#start({ ...this.#facts, lease: held.take(), start, end });
  }

  /** There will be no whole request. */
  drop(): void {
    this.#held.drop();
    this.#mirror.pending--;
    this.#environment.counters.addListener(this.#row, LISTENER_COLUMN.mirrorsSkipped, 1);
  }

  /** The answer is thrown away. */
  onAnswerHead(): void {}

  onAnswerBody(_bytes: Uint8Array, start: number, end: number): boolean {
    this.#answered += end - start;
    return this.#answered <= MAX_ANSWER_BYTES;
  }

  onAnswerOver(how: "whole" | "cut" | "failed"): void {
    this.#mirror.pending--;
    const column = how === "failed" ? LISTENER_COLUMN.mirrorsFailed : LISTENER_COLUMN.mirrorsAnswered;
    this.#environment.counters.addListener(this.#row, column, 1);
  }

  #start(request: CopiedRequest): void {
    new LoneRequest(this, this.#mirror.pool, this.#environment, request).start();
  }
}
