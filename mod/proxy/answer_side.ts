/**
 * What servers answer to one exchange, and what becomes of it: it goes on to the client (`answer_relay.ts`), or the
 * client gets something else, or the request goes to another server. Reused for every request of a client connection.
 *
 * It must not know how a request gets to a server, or when an answer is due.
 */
import { SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Answer } from "../http/answer.ts";
import { NONE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ResponseInfo } from "../http1/response.ts";
import { NoSuchProtocol, type Stream, Unprocessed } from "../net/stream.ts";
import { type AnswerRelay, BROKEN, COMPLETE, ONGOING, type Relayed } from "./answer_relay.ts";
import { AGAIN, INSTEAD, PASS } from "./caching.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Wish } from "./handing_on.ts";
import type { LocalSide } from "./local_side.ts";
import type { Onward } from "./onward.ts";
import type { Record } from "./record.ts";
import type { ResponseHandler } from "./server_connection.ts";
import type { ServerSide } from "./server_side.ts";

/** The exchange: what follows from an answer is its to do. */
export interface AnswerSideOwner {
  readonly client: ClientConnection;
  readonly record: Record;
  readonly headRequest: boolean;
  /** An answer has begun to leave. */
  readonly responding: boolean;
  /** Whether the client's connection can serve another request behind the answer to this one. */
  readonly mayKeepClient: boolean;
  /** The server's answer begins to leave. */
  onAnswered(): void;
  /** Sets the deadline of what is awaited now. */
  armAwaited(): void;
  goTo(onward: Onward): void;
  /** True when the request goes on with what its route has for those that get such an answer. */
  fallsBackOn(status: number): boolean;
  /** Answers with what is stored. */
  serveStored(): void;
  /** The server now speaks another protocol with the client. */
  tunnel(server: Stream): void;
  onServerDrain(): void;
  fail(code: ErrorCode): void;
  /** The answer has been given, and nothing is held for it any more. */
  finish(keepAlive: boolean): void;
}

export class AnswerSide implements ResponseHandler {
  readonly #owner: AnswerSideOwner;
  readonly #side: ServerSide;
  readonly #local: LocalSide;
  readonly #changes: Changes;
  readonly #relay: AnswerRelay;
  /** The request asks for another protocol. */
  #upgrade = false;
  #serverKeepAlive = true;

  constructor(
    owner: AnswerSideOwner,
    side: ServerSide,
    local: LocalSide,
    changes: Changes,
    relay: AnswerRelay,
  ) {
    this.#owner = owner;
    this.#side = side;
    this.#local = local;
    this.#changes = changes;
    this.#relay = relay;
  }

  get headRequest(): boolean {
    return this.#owner.headRequest;
  }

  /** Begins for another request. */
  start({ upgrade }: RequestInfo): void {
    this.#upgrade = upgrade;
  }

  onServerDrain(): void {
    this.#owner.onServerDrain();
  }

  onMalformedResponse(): void {
    if (!this.#owner.responding) return this.#side.failed("badResponse");
    this.#side.attempts.count(SERVER_COLUMN.badResponses);
    this.#owner.fail("badResponse");
  }

  onServerClosed(error: Error | null, begun: boolean): void {
    const { responding } = this.#owner;
    if (responding && error === null && this.#relay.end()) {
      this.#local.completed();
      return this.#complete(false);
    }
    if (error instanceof NoSuchProtocol) return this.#owner.fail("upgradeRefused");
    if (!responding) {
      return this.#side.failed(begun ? "responseReset" : "emptyReply", error instanceof Unprocessed);
    }
    this.#side.attempts.count(SERVER_COLUMN.resets);
    this.#owner.fail("responseReset");
  }

  onResponseHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number, fresh: boolean): boolean {
    const { status } = head;
    if (status === 101) return this.#switchProtocols(head, info, bytes, end);
    const server = this.#changes.server = this.#side.server!.stream;
    if (status < 200) {
      if (!this.#relay.interim(head, info, bytes)) server.pause();
      return true;
    }
    if (status === 408 && this.#side.saysStale(info)) {
      this.#side.failed("emptyReply");
      return false;
    }
    this.#side.answered();
    this.#observe(status);
    const wish = this.#side.handing.read(head, bytes);
    if (wish !== null) return this.#heed(wish, info.keepAlive && info.framing === NONE && end === head.end);
    if (status >= 400 && this.#side.triesElsewhere(status)) return false;
    if (this.#getsElse(head, info, bytes, end)) return false;
    this.#owner.record.status = status;
    const page = this.#changes.pages?.instead(head, bytes) ?? null;
    if (page !== null) return this.#answerInstead(page, head, info, bytes, end);
    this.#serverKeepAlive = info.keepAlive;
    this.#owner.onAnswered();
    const { mayKeepClient } = this.#owner;
    return this.#relayed(this.#relay.head(head, info, bytes, end, mayKeepClient, fresh ? server : null));
  }

  onResponseBytes(bytes: Uint8Array, start: number, end: number, fresh: boolean): boolean {
    return this.#relayed(this.#relay.bytes(bytes, start, end, fresh ? this.#side.server!.stream : null));
  }

  /** Tells record and balancer how long the answer took. */
  #observe(status: number): void {
    const { client, record } = this.#owner;
    const now = client.environment.now();
    record.answered(status, now);
    this.#side.attempts.observe(now - record.connectedAt, now, status);
  }

  /** Does with the request as the function wishes; always false: this answer of it is not one for the client. */
  #heed(wish: Wish, clean: boolean): false {
    const onward = this.#side.heed(wish, clean);
    if (onward !== null) this.#owner.goTo(onward);
    return false;
  }

  /** True when the client gets something else than this answer of a server. */
  #getsElse(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): boolean {
    const { status } = head;
    const stale = this.#local.failed(status, true);
    if (!stale && this.#owner.fallsBackOn(status)) return true;
    const taken = stale ? INSTEAD : this.#local.answered(head, info, bytes);
    if (taken === PASS) return false;
    this.#side.leaveUnread(head, info, end);
    if (taken === AGAIN) this.#owner.goTo(this.#local.onward);
    else this.#owner.serveStored();
    return true;
  }

  /** Answers with a page what a server has answered otherwise; false: the exchange is over. */
  #answerInstead(page: Answer, head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): false {
    const { client, record, headRequest, mayKeepClient } = this.#owner;
    this.#local.answeredInstead();
    client.answering.answer(page, mayKeepClient, headRequest, this.#changes.amendInstead(head, bytes));
    record.error = null;
    this.#side.leaveUnread(head, info, end);
    this.#owner.finish(mayKeepClient);
    return false;
  }

  /** Goes on after a part of the answer; false: the exchange is over. */
  #relayed(what: Relayed): boolean {
    if (what === ONGOING) {
      if (!this.#relay.flowing) this.#side.server!.stream.pause();
      this.#owner.armAwaited();
      return true;
    }
    if (what === BROKEN) this.onMalformedResponse();
    else {
      if (what === COMPLETE) this.#local.completed();
      this.#complete(what === COMPLETE);
    }
    return false;
  }

  /** The answer is complete. `clean`: nothing followed it on the server's connection. */
  #complete(clean: boolean): void {
    const { keepAlive } = this.#relay;
    this.#owner.record.error = null;
    this.#side.leave(clean && this.#serverKeepAlive && this.#side.body.done);
    this.#owner.finish(keepAlive);
  }

  /** Always false: from a 101 on nothing of the server's is an answer. */
  #switchProtocols(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): false {
    if (!this.#upgrade || !info.upgrade || !this.#side.body.done) {
      this.onMalformedResponse();
      return false;
    }
    const { server } = this.#side;
    this.#owner.record.status = 101;
    this.#observe(101);
    this.#relay.switching(head, info, bytes, end);
    server!.exchange = null;
    this.#owner.tunnel(server!.stream);
    return false;
  }
}
