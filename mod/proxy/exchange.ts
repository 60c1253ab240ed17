/**
 * One request from its head to its end: what is asked first, who answers it (`local_side.ts`, or over `server_side.ts`
 * a server, whose answer is `answer_side.ts`'s), until when, and what else if that fails. Reused for every request of a
 * client connection.
 *
 * A machine: it is called by the client's side and by the server's, and never waits. What it needs
 * of a request later it has composed into `request`, so that the receive buffer is free at once. It must not know what
 * a server has answered.
 */
import { type ErrorCode, ERRORS, POOL_ERRORS } from "../base/errors.ts";
import type { RequestTimeouts } from "../config/failure_snapshot.ts";
import type { Answered, Denial } from "../guard/guard.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { Stream } from "../net/stream.ts";
import { AnswerRelay } from "./answer_relay.ts";
import { AnswerSide, type AnswerSideOwner } from "./answer_side.ts";
import type { Attempts } from "./attempts.ts";
import { type Asked, FORWARD, REFUSE, WAIT } from "./caching.ts";
import { Changes } from "./changes.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { ClientConnection } from "./client_connection.ts";
import { compose } from "./composing.ts";
import type { LiveFallback, LivePool, LiveRoute, ProxyEnvironment } from "./environment.ts";
import { BROKEN_OFF, type Sent, WAITS } from "./file_answer.ts";
import { type GuardedOwner, Guarding } from "./guarding.ts";
import type { HandingOn } from "./handing_on.ts";
import { poolOfRequest } from "./hash_key.ts";
import { LocalSide } from "./local_side.ts";
import { Mirroring } from "./mirroring.ts";
import { type Onward, onwardTo } from "./onward.ts";
import { Record } from "./record.ts";
import { type RequestBody, tooLarge } from "./request_body.ts";
import { UpstreamRequest } from "./request_head.ts";
import { ServerSide, type ServerSideOwner } from "./server_side.ts";
import type { Tunnel } from "./tunnel.ts";

/** ASKING: an answer is awaited, of a server once there is one. COLLAPSED: another request's. */
const FREE = 0, ASKING = 1, RESPONDING = 2, GUARDED = 3, COLLAPSED = 4;
type Phase = 0 | 1 | 2 | 3 | 4;

export class Exchange implements GuardedOwner, ServerSideOwner, AnswerSideOwner {
  headRequest = false;
  readonly request = new UpstreamRequest();
  readonly record = new Record();
  readonly answers: AnswerSide;
  readonly #environment: ProxyEnvironment;
  readonly #changes: Changes;
  readonly #side: ServerSide;
  readonly #attempts: Attempts;
  readonly #body: RequestBody;
  readonly #handing: HandingOn;
  readonly #mirroring: Mirroring;
  readonly #relay: AnswerRelay;
  readonly #local: LocalSide;
  /** Made with the first request that has guards. */
  #guarding: Guarding | null = null;
  /** Undefined: none takes the request. */
  #route: LiveRoute | undefined;
  /** Null: the route answers by itself. */
  #pool: LivePool | null = null;
  #phase: Phase = FREE;
  #timeouts: RequestTimeouts;
  /** What the request gets when its pool fails it; null: an error, or it has got that already. */
  #fallback: LiveFallback | null = null;
  /** When the request must be over. */
  #dueAt = Infinity;
  #clientKeepAlive = true;

  constructor(readonly client: ClientConnection, encoder: ChunkEncoder) {
    const { environment, stream } = client;
    this.#environment = environment;
    this.#timeouts = client.listener.live.snapshot.timeouts;
    this.#changes = new Changes(client, this.record);
    this.#side = new ServerSide(this, encoder);
    this.#attempts = this.#side.attempts;
    this.#body = this.#side.body;
    this.#handing = this.#side.handing;
    this.#mirroring = new Mirroring(client, this.request, this.#body.relay);
    this.#relay = new AnswerRelay(stream, environment.buffers, this.record, encoder, this.#changes);
    this.#local = new LocalSide(this, this.#changes, this.#relay);
    this.answers = new AnswerSide(this, this.#side, this.#local, this.#changes, this.#relay);
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

  onAnswered(): void {
    this.#phase = RESPONDING;
  }

  /** Begins with a complete head; returns the offset behind what it used of `bytes`. */
  begin(head: Head, info: RequestInfo, bytes: Uint8Array, end: number, now: number): number {
    this.record.start(now, head.end - head.start);
    this.headRequest = info.isHead;
    this.#clientKeepAlive = info.keepAlive;
    this.answers.start(info);
    this.#relay.start(info.minor, this.client.listener.live.hsts);
    this.#phase = ASKING;
    this.#side.begin(info);
    const { live } = this.client.listener;
    const { address, stream: { tls } } = this.client;
    const index = live.router.match(head, info, bytes, address, this.#environment.facts, tls?.serverName);
    const route = this.#route = live.routes[index];
    this.record.taken(route?.snapshot);
    const { requestMs } = this.#timeouts = route?.snapshot.timeouts ?? live.snapshot.timeouts;
    this.#dueAt = requestMs === 0 ? Infinity : now + requestMs;
    this.#handing.start(route?.next ?? null);
    this.#fallback = route?.fallback ?? null;
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
    this.#phase = ASKING;
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
      this.#sent(this.#local.give(outcome.answer, this.#mayKeepUnread));
    } else if (outcome !== null) this.fail(outcome.code, outcome);
    else if (tooLarge(head, limits)) this.fail("headTooLarge");
    else if (!this.#body.limitTo(limits.body, info)) this.fail("bodyTooLarge");
    else if (route === undefined) this.fail("noRoute");
    else if (!this.#changes.fits) this.fail("badHost");
    else if (pool === null) {
      const values = this.#changes.values(head, info, bytes, route, trusted);
      const { headRequest } = this, keepAlive = this.#mayKeepUnread;
      this.#sent(this.#local.respond(route, { values, minor: info.minor, headRequest, keepAlive }));
    } else {
      const onward = onwardTo(pool, this.client, this.request, head, info, bytes);
      at += this.#body.keep(info, bytes, at, end);
      this.#handing.prepare(info, !this.#body.done);
      const { compressors, facts } = this.#environment;
      const { compress } = route.snapshot;
      if (compress !== undefined) {
        this.#relay.compress(compress, facts.set(head, info, bytes, this.client.address), compressors);
      }
      if (route.mirror !== null) this.#mirroring.begin(route.mirror, head, info, bytes);
      if (route.cache === null) {
        this.goTo(onward);
        this.#mirroring.advance();
      } else this.#heedCache(this.#local.ask({ cache: route.cache, onward, trusted }, head, info, bytes));
    }
    return at;
  }

  /** What another request fetched may have come. */
  onFetched(): void {
    this.#phase = ASKING;
    this.#heedCache(this.#local.askAgain());
  }

  /** Does with a request what the cache says. */
  #heedCache(asked: Asked): void {
    if (asked === WAIT) {
      this.#phase = COLLAPSED;
      return this.arm(this.#local.waitsUntil);
    }
    if (asked === REFUSE) return this.fail("notStored");
    if (asked === FORWARD) this.goTo(this.#local.onward);
    this.#mirroring.advance();
    if (asked !== FORWARD) this.serveStored();
  }

  serveStored(): void {
    this.#sent(this.#local.serve(this.mayKeepClient));
  }

  /** Passes body bytes on; returns the offset behind what it used, which is `at` while there is no server yet. */
  takeBody(bytes: Uint8Array, at: number, end: number, fresh: boolean): number {
    const { server } = this.#side;
    if (server === null || this.#handing.held) return at;
    const problem = this.#body.take(server.stream, bytes, at, end, fresh);
    if (problem !== null) {
      this.fail(problem);
      return end;
    }
    this.#mirroring.advance();
    this.armAwaited();
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
    this.#side.leave(false);
    this.#end();
  }

  /** Ends the exchange with an error: an answer where none has begun, else a broken-off connection. */
  fail(code: ErrorCode, denial: Denial | null = null): void {
    const begun = this.#phase === RESPONDING;
    this.#side.leave(false);
    if (!begun && this.#local.failed(ERRORS[code].status, false)) return this.serveStored();
    this.record.error = code;
    if (this.#fallback !== null && !begun && POOL_ERRORS.has(code) && this.#fallsBack()) return;
    const { status, side } = ERRORS[code];
    if (begun || status === 0) {
      this.#end();
      return code === "clientStalled" ? this.client.abort() : this.client.breakOff();
    }
    const keepAlive = side !== "downstream" && this.#mayKeepUnread;
    const { pages } = this.#changes;
    this.client.answering.error(code, keepAlive, this.headRequest, pages, this.#changes.amend(), denial);
    this.finish(keepAlive);
  }

  /** The deadline that `arm` set has passed. */
  onDeadline(now: number): void {
    if (now >= this.#dueAt) return this.#overdue();
    switch (this.#phase) {
      case GUARDED:
        return this.#guarding!.onDeadline();
      case COLLAPSED:
        return this.onFetched();
      case ASKING:
        if (this.#side.server === null) return this.#attempts.onDeadline();
        return this.#side.awaited ? this.#side.late(now) : this.fail("bodyTimeout");
      case RESPONDING:
        if (this.#side.server === null) return this.#sent(this.#local.onDeadline());
        return this.fail(this.client.stream.blocked ? "clientStalled" : "upstreamStalled");
    }
  }

  /** The whole of the request has taken too long: whose turn it is now says whose fault that is. */
  #overdue(): void {
    const clients = this.#phase === ASKING && this.#side.server !== null && !this.#side.awaited;
    this.fail(clients ? "bodyTimeout" : "requestTimeout");
  }

  /** The client's stream has room again. */
  onClientDrain(): void {
    if (this.#side.server === null && this.#phase === RESPONDING) {
      return this.#sent(this.#local.onDrain());
    }
    this.#side.server?.stream.resume();
    if (this.#phase === RESPONDING) this.armAwaited();
  }

  /** Sets the deadline of what is awaited, which is never later than that of the whole. */
  arm(at: number): void {
    this.client.arm(Math.min(at, this.#dueAt));
  }

  /** The client is gone for good, and with it the connections that were made in its name. */
  forget(): void {
    this.#side.forget();
  }

  onServerDrain(): void {
    this.armAwaited();
    // Last, as a malformed body ends this exchange at once.
    if (!this.#body.done && !this.#handing.held) this.client.resumeBody();
  }

  /** Writes the request as it is to be sent; returns whether the client is a proxy that is believed. */
  #compose(head: Head, info: RequestInfo, bytes: Uint8Array): boolean {
    const { client } = this, changes = this.#changes, pool = this.#pool, route = this.#route ?? null;
    const spare = this.#body.spare(info) + this.#handing.spare;
    return compose(this.request, { client, changes, route, pool, spare }, head, info, bytes);
  }

  fallsBackOn(status: number): boolean {
    return this.#fallback !== null && this.#fallback.snapshot.statuses.includes(status) &&
      this.#fallsBack();
  }

  /** True when the request goes on with what its route has for those that fail. */
  #fallsBack(): boolean {
    const { pool, snapshot: { answer } } = this.#fallback!;
    const onward = pool === null || this.#side.mayHaveActed ? null : this.#handing.toward(pool, this.client);
    if (pool !== null && onward === null) return false;
    this.#fallback = null;
    this.#local.giveUp();
    this.record.fellBack = true;
    this.#side.leave(false);
    if (onward === null) this.#sent(this.#local.give(answer!, this.#mayKeepUnread));
    else this.goTo(onward);
    return true;
  }

  goTo(onward: Onward): void {
    this.#relay.stick = onward.stick;
    this.#side.start(onward, this.#environment.now());
  }

  get mayKeepClient(): boolean {
    return this.#clientKeepAlive && this.#body.done && !this.client.listener.draining;
  }

  /** `mayKeepClient` behind an answer of our own, which nobody has had to read the body for. */
  get #mayKeepUnread(): boolean {
    return this.#clientKeepAlive && this.#body.dispensable && !this.client.listener.draining;
  }

  /** Goes on after a part of an answer without a server. */
  #sent(sent: Sent): void {
    // Until a byte has left there can be another answer.
    if (this.record.bytesOut > 0) this.#phase = RESPONDING;
    if (sent === BROKEN_OFF) return this.fail(this.#local.problem);
    if (sent !== WAITS) return this.finish(this.#local.keepAlive);
    this.arm(this.#environment.now() + this.client.listener.live.snapshot.timeouts.idleMs);
  }

  armAwaited(): void {
    const { client } = this;
    const { responseMs } = this.#attempts.pool!.snapshot.timeouts;
    const { timeouts: { idleMs }, limits: { bodyRate } } = client.listener.live.snapshot;
    const now = this.#environment.now();
    if (this.#phase === RESPONDING) this.arm(now + (client.stream.blocked ? idleMs : responseMs));
    else if (this.#phase === ASKING) {
      this.arm(
        this.#side.awaited
          ? this.#body.pause(now) + this.#side.patienceMs()
          : this.#body.dueAt(now, this.#timeouts.bodyMs, bodyRate),
      );
    }
  }

  tunnel(server: Stream): void {
    this.client.tunnel(server, this.#timeouts.tunnelMs);
  }

  /** The tunnel that this exchange became has ended. */
  onTunnelEnded({ bytesUp, bytesDown, error }: Tunnel): void {
    this.record.tunnelled(bytesUp, bytesDown, error);
    this.#side.server = null;
    this.#attempts.leave();
    this.#end();
  }

  finish(keepAlive: boolean): void {
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
    this.#relay.close();
    this.#local.end();
    this.#attempts.pool = this.#pool = null;
    this.#route = undefined;
  }
}
