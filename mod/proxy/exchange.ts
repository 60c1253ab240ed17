/**
 * One request and its response: route, get a connection (`attempts.ts`), send, relay the answer. Reused for every
 * request of a client connection.
 *
 * A machine: it is called by the client's side, by the server's and by its attempts, and never waits. What it needs
 * of a request later it has composed into `request`, so that the receive buffer is free at once.
 */
import { type ErrorCode, ERRORS } from "../base/errors.ts";
import { SERVER_COLUMN } from "../base/counters.ts";
import { FIXED, NONE } from "../http1/body.ts";
import type { Answered, Denial } from "../guard/guard.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ResponseInfo } from "../http1/response.ts";
import { NoSuchProtocol, type Stream, Unprocessed } from "../net/stream.ts";
import type { Answer } from "../http/answer.ts";
import { AnswerRelay, BROKEN, COMPLETE, ONGOING, type Relayed } from "./answer_relay.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import { Changes } from "./changes.ts";
import { ChunkEncoder } from "./chunks.ts";
import type { ClientConnection } from "./client_connection.ts";
import { compose } from "./composing.ts";
import type { LivePool, LiveRoute, ProxyEnvironment } from "./environment.ts";
import { BROKEN_OFF, type Sent, WAITS } from "./file_answer.ts";
import { type GuardedOwner, Guarding } from "./guarding.ts";
import { AGAIN, HandingOn, type Wish } from "./handing_on.ts";
import { poolOfRequest } from "./hash_key.ts";
import { Mirroring } from "./mirroring.ts";
import { onwardTo } from "./onward.ts";
import { OwnAnswer } from "./own_answer.ts";
import { Record } from "./record.ts";
import { RequestBody, tooLarge } from "./request_body.ts";
import { UpstreamRequest } from "./request_head.ts";
import { ReusableConnections } from "./reusable.ts";
import { sentHeader } from "./sent_header.ts";
import type { ResponseHandler, ServerConnection } from "./server_connection.ts";
import type { Tunnel } from "./tunnel.ts";

const FREE = 0, SEEKING = 1, SENT = 2, RESPONDING = 3, GUARDED = 4;
type Phase = 0 | 1 | 2 | 3 | 4;

export class Exchange implements AttemptOwner, GuardedOwner, ResponseHandler {
  headRequest = false;
  readonly request = new UpstreamRequest();
  readonly record = new Record();
  readonly #environment: ProxyEnvironment;
  readonly #changes: Changes;
  readonly #attempts: Attempts;
  readonly #body: RequestBody;
  readonly #handing = new HandingOn(this.request);
  readonly #mirroring: Mirroring;
  readonly #answer: AnswerRelay;
  readonly #ownAnswer: OwnAnswer;
  readonly #reusable: ReusableConnections;
  /** Made with the first request that has guards. */
  #guarding: Guarding | null = null;
  /** Undefined: none takes the request. */
  #route: LiveRoute | undefined;
  /** Null: the route answers by itself. */
  #pool: LivePool | null = null;
  #phase: Phase = FREE;
  #server: ServerConnection | null = null;
  #idempotent = true;
  #upgrade = false;
  #clientKeepAlive = true;
  #serverKeepAlive = true;

  constructor(readonly client: ClientConnection, encoder: ChunkEncoder) {
    const { environment, stream } = client;
    this.#environment = environment;
    this.#changes = new Changes(client, this.record);
    this.#attempts = new Attempts(this, environment, this.record);
    this.#body = new RequestBody(stream, this.request, this.record, encoder);
    this.#mirroring = new Mirroring(client, this.request, this.#body.relay);
    this.#answer = new AnswerRelay(stream, environment.buffers, this.record, encoder, this.#changes);
    this.#ownAnswer = new OwnAnswer(client, this.record, this.#changes);
    this.#reusable = new ReusableConnections(environment);
  }

  get busy(): boolean {
    return this.#phase !== FREE;
  }

  /** True when every byte of the request has been taken from the client. */
  get requestDone(): boolean {
    return this.#body.done;
  }

  get responding(): boolean {
    return this.#phase === RESPONDING;
  }

  /** Begins with a complete head; returns the offset behind what it used of `bytes`. */
  begin(head: Head, info: RequestInfo, bytes: Uint8Array, end: number, now: number): number {
    this.record.start(now, head.end - head.start);
    this.headRequest = info.isHead;
    this.#idempotent = info.idempotent;
    this.#upgrade = info.upgrade;
    this.#clientKeepAlive = info.keepAlive;
    this.#answer.start(info.minor, this.client.listener.live.hsts);
    this.#phase = SEEKING;
    this.#body.start(info);
    const { live } = this.client.listener;
    const { address, stream: { tls } } = this.client;
    const index = live.router.match(head, info, bytes, address, this.#environment.facts, tls?.serverName);
    const route = this.#route = live.routes[index];
    this.#reusable.ofClient(address);
    this.#handing.start(route?.next ?? null);
    this.#pool = poolOfRequest(route, address, head, info, bytes, this.#environment.facts);
    const { guards } = route ?? live;
    if (guards === null) return this.#admit(head, info, bytes, end, null);
    this.#guarding ??= new Guarding(this);
    if (this.#guarding.ask(guards, head, info, bytes)) {
      return this.#admit(head, info, bytes, end, this.#guarding.outcome);
    }
    this.#phase = GUARDED;
    return head.end;
  }

  onGuarded(head: Head, info: RequestInfo, bytes: Uint8Array): void {
    this.#phase = SEEKING;
    this.#admit(head, info, bytes, head.end, this.#guarding!.outcome);
  }

  /** Goes on with a request of which the guards have said what they have to say; returns as `begin`. */
  #admit(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    end: number,
    outcome: Denial | Answered | null,
  ): number {
    const route = this.#route;
    const pool = this.#pool;
    const limits = route?.snapshot.limits ?? this.client.listener.live.snapshot.limits;
    const trusted = this.#compose(head, info, bytes);
    let at = head.end;
    if (outcome?.kind === "answer") {
      this.#sent(this.#ownAnswer.give(outcome.answer, this.headRequest, this.#mayKeepUnread));
    } else if (outcome !== null) this.fail(outcome.code, outcome);
    else if (tooLarge(head, limits)) this.fail("headTooLarge");
    else if (!this.#body.limitTo(limits.body, info)) this.fail("bodyTooLarge");
    else if (route === undefined) this.fail("noRoute");
    else if (!this.#changes.fits) this.fail("badHost");
    else if (pool === null) {
      const values = this.#changes.values(head, info, bytes, route, trusted);
      const { headRequest } = this, keepAlive = this.#mayKeepUnread;
      this.#sent(this.#ownAnswer.start(route, { values, minor: info.minor, headRequest, keepAlive }));
    } else {
      const onward = onwardTo(pool, this.client, this.request, head, info, bytes);
      at += this.#body.keep(info, bytes, at, end);
      this.#handing.prepare(info, !this.#body.done);
      const { compressors, facts } = this.#environment;
      const { compress } = route.snapshot;
      if (compress !== undefined) {
        this.#answer.compress(compress, facts.set(head, info, bytes, this.client.address), compressors);
      }
      if (route.mirror !== null) this.#mirroring.begin(route.mirror, head, info, bytes);
      this.#attempts.start(pool, onward.hash, this.#environment.now(), this.#answer.stick = onward.stick);
      this.#mirroring.advance();
    }
    return at;
  }

  /** Passes body bytes on; returns the offset behind what it used, which is `at` while there is no server yet. */
  takeBody(bytes: Uint8Array, at: number, end: number, fresh: boolean): number {
    if (this.#server === null || this.#handing.held) return at;
    const problem = this.#body.take(this.#server.stream, bytes, at, end, fresh);
    if (problem !== null) {
      this.fail(problem);
      return end;
    }
    this.#mirroring.advance();
    this.#arm();
    return this.#body.relay.at;
  }

  /** The exchange is over, but not the body: takes what is body for nothing; the offset behind it, or -1: malformed. */
  skipBody(bytes: Uint8Array, at: number, end: number): number {
    return this.#body.skip(bytes, at, end);
  }

  /** The client is gone, or must go: frees everything without an answer. */
  abandon(code: ErrorCode): void {
    if (this.#phase === FREE) return;
    this.record.error = code;
    this.#leaveServer(false);
    this.#end();
  }

  /** Ends the exchange with an error: an answer where none has begun, else a broken-off connection. */
  fail(code: ErrorCode, denial: Denial | null = null): void {
    const begun = this.#phase === RESPONDING;
    this.#leaveServer(false);
    this.record.error = code;
    const { status, side } = ERRORS[code];
    if (begun || status === 0) {
      this.#end();
      return code === "clientStalled" ? this.client.abort() : this.client.breakOff();
    }
    const keepAlive = side !== "downstream" && this.#mayKeepUnread;
    const { pages } = this.#changes;
    this.client.answerError(code, keepAlive, this.headRequest, pages, this.#changes.amend(), denial);
    this.#finish(keepAlive);
  }

  /** The deadline that `#arm` set has passed. */
  onDeadline(): void {
    switch (this.#phase) {
      case GUARDED:
        return this.#guarding!.onDeadline();
      case SEEKING:
        return this.#attempts.onDeadline();
      case SENT:
        return this.#awaitsServer() ? this.#attemptFailed("responseTimeout") : this.fail("bodyTimeout");
      case RESPONDING:
        if (this.#server === null) return this.#sent(this.#ownAnswer.onDeadline());
        return this.fail(this.client.stream.blocked ? "clientStalled" : "upstreamStalled");
    }
  }

  /** The client's stream has room again. */
  onClientDrain(): void {
    if (this.#server === null && this.#phase === RESPONDING) return this.#sent(this.#ownAnswer.onDrain());
    this.#server?.stream.resume();
    if (this.#phase === RESPONDING) this.#arm();
  }

  arm(at: number): void {
    this.client.arm(at);
  }

  reuse(slot: number, now: number): boolean {
    const idle = this.#reusable.take(this.#attempts.pool!.snapshot, slot);
    if (idle === null) return false;
    this.#attempts.count(SERVER_COLUMN.reuses);
    this.#send(idle, now);
    return true;
  }

  preface({ snapshot }: LivePool): Uint8Array | null {
    return sentHeader(snapshot, this.client.stream, this.client.address, "");
  }

  onConnected(stream: Stream, now: number): void {
    const { slot, pool } = this.#attempts;
    this.#send(this.#reusable.adopt(stream, slot, pool!.snapshot), now);
  }

  /** The client is gone for good, and with it the connections that were made in its name. */
  forget(): void {
    this.#reusable.close();
  }

  onGivenUp(code: ErrorCode): void {
    this.fail(code);
  }

  onServerDrain(): void {
    this.#arm();
    // Last, as a malformed body ends this exchange at once.
    if (!this.#body.done && !this.#handing.held) this.client.resumeBody();
  }

  onMalformedResponse(): void {
    this.#attempts.count(SERVER_COLUMN.badResponses);
    this.fail("badResponse");
  }

  onServerClosed(error: Error | null, begun: boolean): void {
    if (this.#phase === RESPONDING && error === null && this.#answer.end()) return this.#complete(false);
    if (error instanceof NoSuchProtocol) return this.fail("upgradeRefused");
    if (this.#phase === SENT && !begun) {
      return this.#attemptFailed("emptyReply", error instanceof Unprocessed);
    }
    this.#attempts.count(SERVER_COLUMN.resets);
    this.fail("responseReset");
  }

  onResponseHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number, fresh: boolean): boolean {
    const { status } = head;
    if (status === 101) return this.#switchProtocols(head, info, bytes, end);
    const server = this.#server!.stream;
    if (status < 200) {
      if (!this.#answer.interim(head, info, bytes)) server.pause();
      return true;
    }
    if (status === 408 && this.#saysStale(info)) {
      this.#attemptFailed("emptyReply");
      return false;
    }
    const now = this.#environment.now();
    this.record.firstByteAt = now;
    this.#attempts.observe(now - this.record.connectedAt, now);
    const wish = this.#handing.read(head, bytes);
    if (wish !== null) return this.#heed(wish, info.keepAlive && info.framing === NONE && end === head.end);
    if (status >= 500 && this.#triesElsewhere(status)) return false;
    this.record.status = status;
    const page = this.#changes.pages?.instead(head, bytes) ?? null;
    if (page !== null) return this.#answerInstead(page, head, info, bytes, end);
    this.#serverKeepAlive = info.keepAlive;
    this.#phase = RESPONDING;
    return this.#relayed(
      this.#answer.head(head, info, bytes, end, this.#mayKeepClient, fresh ? server : null),
    );
  }

  onResponseBytes(bytes: Uint8Array, start: number, end: number, fresh: boolean): boolean {
    return this.#relayed(this.#answer.bytes(bytes, start, end, fresh ? this.#server!.stream : null));
  }

  /** Goes on after a part of the answer; false: the exchange is over. */
  #relayed(what: Relayed): boolean {
    if (what === ONGOING) {
      if (!this.#answer.flowing) this.#server!.stream.pause();
      this.#arm();
      return true;
    }
    if (what === BROKEN) this.onMalformedResponse();
    else this.#complete(what === COMPLETE);
    return false;
  }

  /** Writes the request as it is to be sent; returns whether the client is a proxy that is believed. */
  #compose(head: Head, info: RequestInfo, bytes: Uint8Array): boolean {
    const { client } = this, changes = this.#changes, pool = this.#pool, route = this.#route ?? null;
    const spare = this.#body.spare(info) + this.#handing.spare;
    return compose(this.request, { client, changes, route, pool, spare }, head, info, bytes);
  }

  /** Does with the request as the function wishes; always false: this answer of it is not one for the client. */
  #heed(wish: Wish, clean: boolean): false {
    const now = this.#environment.now();
    const onward = this.#body.lost ? null : this.#handing.heed(wish, this.client);
    this.#phase = SEEKING;
    if (onward === null) this.fail("badHandOn");
    else if (onward === AGAIN) {
      this.#letGo(clean);
      if (!this.reuse(this.#attempts.slot, now)) this.fail("emptyReply");
    } else {
      this.#leaveServer(clean && this.#body.done);
      this.#attempts.start(onward.pool, onward.hash, now, this.#answer.stick = onward.stick);
    }
    return false;
  }

  /** Whether the client's connection can serve another request behind the answer to this one. */
  get #mayKeepClient(): boolean {
    return this.#clientKeepAlive && this.#body.done && !this.client.listener.draining;
  }

  /** The same behind an answer of our own, which nobody has had to read the body for. */
  get #mayKeepUnread(): boolean {
    return this.#clientKeepAlive && this.#body.dispensable && !this.client.listener.draining;
  }

  /** Answers with a page what a server has answered otherwise; false: the exchange is over. */
  #answerInstead(page: Answer, head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): false {
    const mayKeep = this.#mayKeepClient;
    const amend = this.#changes.amendInstead(head, bytes);
    const rest = end - head.end;
    const whole = info.framing === NONE ? rest === 0 : info.framing === FIXED && rest === info.contentLength;
    this.client.answer(page, mayKeep, this.headRequest, amend);
    this.record.error = null;
    this.#leaveServer(whole && info.keepAlive && this.#body.done);
    this.#finish(mayKeep);
    return false;
  }

  /** Goes on after a part of an answer without a server. */
  #sent(sent: Sent): void {
    // Until a byte has left there can be another answer.
    if (this.record.bytesOut > 0) this.#phase = RESPONDING;
    if (sent === BROKEN_OFF) return this.fail(this.#ownAnswer.problem);
    if (sent !== WAITS) return this.#finish(this.#ownAnswer.keepAlive);
    this.client.arm(this.#environment.now() + this.client.listener.live.snapshot.timeouts.idleMs);
  }

  #send(server: ServerConnection, now: number): void {
    this.#server = server;
    this.#changes.server = server.stream;
    this.record.connectedAt = now;
    server.attach(this);
    this.#phase = SENT;
    server.stream.writeLease(this.request.lease!.share(), 0, this.request.length);
    this.#arm();
    // Last, as a malformed body ends this exchange at once.
    if (!this.#body.done && !this.#handing.held) this.client.resumeBody();
  }

  /** Sets the deadline of what is awaited now. */
  #arm(): void {
    const { client } = this;
    const { responseMs } = this.#attempts.pool!.snapshot.timeouts;
    const { timeouts: { bodyMs, idleMs }, limits: { bodyRate } } = client.listener.live.snapshot;
    const now = this.#environment.now();
    if (this.#phase === RESPONDING) client.arm(now + (client.stream.blocked ? idleMs : responseMs));
    else if (this.#phase === SENT) {
      client.arm(
        this.#awaitsServer() ? this.#body.pause(now) + responseMs : this.#body.dueAt(now, bodyMs, bodyRate),
      );
    }
  }

  /** Once the request is sent, or while the server does not read it, it is the server's turn. */
  #awaitsServer(): boolean {
    return this.#body.done || this.#handing.held || this.#server!.stream.blocked;
  }

  /** The connection failed before an answer began: try elsewhere or give up. */
  #attemptFailed(code: ErrorCode, unprocessed = false): void {
    const { stream, uses } = this.#server!;
    const again = unprocessed && !this.#body.lost && this.#attempts.reuses;
    // A stream of HTTP/2 is new, but its connection may have gone stale.
    const reused = uses > 1 || stream.reused === true && this.#attempts.reuses;
    const stale = code === "emptyReply" && (again || reused);
    this.#letGo(false);
    this.#phase = SEEKING;
    this.#attempts.failed(code, again || this.#resendable, stale);
  }

  /** RFC 9110 section 15.5.9: a server may say so when it gives up an idle connection, as our request passes it by. */
  #saysStale(info: ResponseInfo): boolean {
    return !info.keepAlive && this.#server!.uses > 1 && this.#resendable;
  }

  /** RFC 9110 section 9.2.2: once sent, only what is idempotent, and only when all of it is still here. */
  get #resendable(): boolean {
    return this.#idempotent && !this.#body.lost;
  }

  /** True when the status is one to retry on and the request goes to another server now. */
  #triesElsewhere(status: number): boolean {
    const index = this.#resendable ? this.#attempts.elsewhere(status) : -1;
    if (index < 0) return false;
    this.#letGo(false);
    this.#phase = SEEKING;
    this.#attempts.moveTo(index, status);
    return true;
  }

  #switchProtocols(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): boolean {
    if (!this.#upgrade || !info.upgrade || !this.#body.done) {
      this.onMalformedResponse();
      return false;
    }
    this.record.status = 101;
    this.record.firstByteAt = this.#environment.now();
    this.#answer.switching(head, info, bytes, end);
    this.#server!.exchange = null;
    this.client.tunnel(this.#server!.stream);
    return false;
  }

  /** The tunnel that this exchange became has ended. */
  onTunnelEnded({ bytesUp, bytesDown, error }: Tunnel): void {
    this.record.tunnelled(bytesUp, bytesDown, error);
    this.#server = null;
    this.#attempts.leave();
    this.#end();
  }

  /** The answer is complete. `clean`: nothing followed it on the server's connection. */
  #complete(clean: boolean): void {
    const { keepAlive } = this.#answer;
    this.record.error = null;
    this.#leaveServer(clean && this.#serverKeepAlive && this.#body.done);
    this.#finish(keepAlive);
  }

  #finish(keepAlive: boolean): void {
    this.#end();
    this.client.exchangeDone(keepAlive);
  }

  #end(): void {
    if (this.#phase === GUARDED) this.#guarding!.recall((...kept) => this.#compose(...kept));
    this.#phase = FREE;
    this.#guarding?.drop();
    this.#mirroring.drop();
    this.client.account(this);
    this.request.release();
    this.#answer.close();
    this.#ownAnswer.close();
    this.#attempts.pool = this.#pool = null;
    this.#route = undefined;
  }

  /** Lets go of queue, attempt, connection and place, whichever there is. */
  #leaveServer(reusable: boolean): void {
    this.#letGo(reusable);
    this.#attempts.leave();
  }

  #letGo(reusable: boolean): void {
    const server = this.#server;
    this.#server = null;
    server?.release(reusable);
  }
}
