/**
 * The server's side of one exchange: gets a connection (`attempts.ts`), sends the request over it, and again elsewhere
 * where that is safe. Reused for every request of a client connection.
 *
 * It must not know of routes or guards, or of what becomes of an answer.
 */
import { SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { RetryCondition } from "../config/failure_snapshot.ts";
import { latin1 } from "../http/grammar.ts";
import { FIXED, NONE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { Stream } from "../net/stream.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { LivePool } from "./environment.ts";
import { AGAIN, HandingOn, type Wish } from "./handing_on.ts";
import { type HedgedSide, Hedging } from "./hedging.ts";
import type { Onward } from "./onward.ts";
import type { Record } from "./record.ts";
import { RequestBody } from "./request_body.ts";
import { repeatsMethod } from "./retry.ts";
import type { UpstreamRequest } from "./request_head.ts";
import { ReusableConnections } from "./reusable.ts";
import { sentHeader } from "./sent_header.ts";
import type { ResponseHandler, ServerConnection } from "./server_connection.ts";

export interface ServerSideOwner {
  readonly client: ClientConnection;
  readonly request: UpstreamRequest;
  readonly record: Record;
  /** Who is told what the server answers. */
  readonly answers: ResponseHandler;
  /** Sets the one deadline of what is awaited. */
  arm(at: number): void;
  fail(code: ErrorCode): void;
  /** The server takes the body, or more of it. */
  onServerDrain(): void;
}

export class ServerSide implements AttemptOwner, HedgedSide {
  /** Who has the request; null: nobody yet, or no more. */
  server: ServerConnection | null = null;
  readonly attempts: Attempts;
  readonly body: RequestBody;
  readonly handing: HandingOn;
  readonly #owner: ServerSideOwner;
  readonly reusable: ReusableConnections;
  /** Made with the first request that is hedged. */
  #hedging: Hedging | null = null;
  /** There is neither a body nor an upgrade: the head is all of it. */
  #plain = false;
  #idempotent = true;
  #sent = false;
  /** One second attempt a request is enough. */
  #hedged = false;
  /** The present wait is shorter than it might be, as another server may be tried. */
  #impatient = false;
  readonly #method = () => {
    const { lease, methodEnd } = this.#owner.request;
    return latin1(lease!.bytes, 0, methodEnd);
  };

  constructor(owner: ServerSideOwner, encoder: ChunkEncoder) {
    const { client: { environment, stream }, request, record } = owner;
    this.#owner = owner;
    this.attempts = new Attempts(this, environment, record);
    this.body = new RequestBody(stream, request, record, encoder);
    this.handing = new HandingOn(request);
    this.reusable = new ReusableConnections(environment);
  }

  /** Begins with another request of the client. */
  begin(info: RequestInfo): void {
    this.#idempotent = info.idempotent;
    this.#plain = info.framing === NONE && !info.upgrade;
    this.#sent = this.#hedged = false;
    this.body.start(info);
    this.reusable.ofClient(this.#owner.client.address);
  }

  /** Looks for a server of the pool. */
  start({ pool, hash, stick }: Onward, now: number): void {
    this.attempts.start(pool, hash, now, stick);
  }

  get request(): UpstreamRequest {
    return this.#owner.request;
  }

  get handler(): ResponseHandler {
    return this.#owner.answers;
  }

  arm(at: number): void {
    this.#owner.arm(at);
  }

  reuse(slot: number, now: number): boolean {
    const idle = this.reusable.take(this.attempts.pool!.snapshot, slot);
    if (idle === null) return false;
    this.attempts.count(SERVER_COLUMN.reuses);
    this.#send(idle, now);
    return true;
  }

  /** Sends the request once more to the one that has it, whose last answer left the connection `clean`; false: it did not. */
  again(clean: boolean, now: number): boolean {
    if (clean) this.#send(this.server!, now);
    return clean;
  }

  preface({ snapshot }: LivePool): Uint8Array | null {
    const { client } = this.#owner;
    return sentHeader(snapshot, client.stream, client.address, "");
  }

  onConnected(stream: Stream, now: number): void {
    const { slot, pool } = this.attempts;
    this.#send(this.reusable.adopt(stream, slot, pool!.snapshot), now);
  }

  onGivenUp(code: ErrorCode): void {
    this.#owner.fail(code);
  }

  /** Once the request is sent, or while the server does not read it, it is the server's turn. */
  get awaited(): boolean {
    return this.body.done || this.handing.held || this.server!.stream.blocked;
  }

  /** The connection failed before an answer began: try elsewhere or give up. */
  failed(code: ErrorCode, unprocessed = false): void {
    const { attempts, body } = this;
    const { stream, uses } = this.server!;
    const again = unprocessed && !body.lost && attempts.reuses;
    // A stream of HTTP/2 is new, but its connection may have gone stale.
    const reused = uses > 1 || stream.reused === true && attempts.reuses;
    const stale = code === "emptyReply" && (again || reused);
    const repeats = again || this.#repeats || stale && this.#idempotent && !body.lost;
    this.letGo(false);
    if (this.#hedging !== null) {
      if (this.#hedging.takeOver(stale ? null : code)) return;
      this.#hedging.cancel();
    }
    attempts.failed(code, repeats, stale);
  }

  /** RFC 9110 section 15.5.9: a server may say so when it gives up an idle connection, as our request passes it by. */
  saysStale(info: ResponseInfo): boolean {
    return !info.keepAlive && this.server!.uses > 1 && this.#idempotent && !this.body.lost;
  }

  /** True when what has happened is to be retried on and the request goes to another server now. */
  triesElsewhere(condition: RetryCondition): boolean {
    const { attempts } = this;
    const index = this.#repeats ? attempts.elsewhere(condition) : -1;
    if (index < 0) return false;
    if (condition === "timeout") attempts.countFailure("responseTimeout");
    this.letGo(false);
    this.#hedging?.cancel();
    attempts.moveTo(index);
    return true;
  }

  /** The head of the answer has not come in its time: tries elsewhere, waits on, or gives up. */
  late(now: number): void {
    const { retry, timeouts: { responseMs } } = this.attempts.pool!.snapshot;
    const { perTryMs } = retry;
    // What is left of the longest wait is the server's, when no other takes the request.
    const leftMs = perTryMs === undefined || !this.#impatient ? 0 : responseMs - perTryMs;
    if (leftMs <= 0) return this.failed("responseTimeout");
    if (this.triesElsewhere("timeout")) return;
    this.#impatient = false;
    this.#owner.arm(now + leftMs);
  }

  /** How long the head of an answer is waited for, from when the server has the request. */
  patienceMs(): number {
    const { retry: { perTryMs }, timeouts: { responseMs } } = this.attempts.pool!.snapshot;
    this.#impatient = perTryMs !== undefined && perTryMs < responseMs && this.attempts.moreAttempts &&
      this.#repeats;
    return this.#impatient ? perTryMs! : responseMs;
  }

  /** The request is answered, by whoever has it. */
  answered(): void {
    this.#hedging?.cancel();
  }

  /** The second attempt is the only one from now on. */
  onHedgeTaken(server: ServerConnection): void {
    this.letGo(false);
    this.server = server;
    this.#owner.onServerDrain();
  }

  /** Lets go of queue, attempt, connection and place, whichever there is. */
  leave(reusable: boolean): void {
    this.letGo(reusable);
    this.#hedging?.cancel();
    this.attempts.leave();
  }

  /** The same of a server whose answer, with this head, is not passed on. */
  leaveUnread(head: Head, info: ResponseInfo, end: number): void {
    const rest = end - head.end;
    const whole = info.framing === NONE ? rest === 0 : info.framing === FIXED && rest === info.contentLength;
    this.leave(whole && info.keepAlive && this.body.done);
  }

  /**
   * Does with the request as the function that has it wishes; where it is to go, or null: it is there again, or has
   * failed. `clean`: nothing followed the wish.
   */
  heed(wish: Wish, clean: boolean): Onward | null {
    const onward = this.body.lost ? null : this.handing.heed(wish, this.#owner.client);
    if (onward === null) this.#owner.fail("badHandOn");
    else if (onward === AGAIN) {
      if (!this.again(clean, this.#owner.client.environment.now())) this.#owner.fail("emptyReply");
    } else {
      this.leave(clean && this.body.done);
      return onward;
    }
    return null;
  }

  /** Lets go of the connection alone. */
  letGo(reusable: boolean): void {
    const { server } = this;
    this.server = null;
    server?.release(reusable);
  }

  /** The client is gone for good, and with it the connections that were made in its name. */
  forget(): void {
    this.#hedging?.drop();
    this.reusable.close();
  }

  /** True once a server may have done what another one must not do again, or would not get all of. */
  get mayHaveActed(): boolean {
    return this.#sent && !this.#repeats;
  }

  /** Once sent, only what the pool says, by default what is idempotent (RFC 9110 section 9.2.2), and all of it. */
  get #repeats(): boolean {
    return !this.body.lost &&
      repeatsMethod(this.attempts.pool!.snapshot.retry, this.#idempotent, this.#method);
  }

  #send(server: ServerConnection, now: number): void {
    const { request, record } = this.#owner;
    this.server = server;
    this.#sent = true;
    record.connected(now);
    server.attach(this.#owner.answers);
    server.stream.writeLease(request.lease!.share(), 0, request.length);
    if (this.attempts.pool!.snapshot.retry.hedge !== undefined) this.#hedge(now);
    this.#owner.onServerDrain();
  }

  /** Has a second attempt made when this one is slow, where that can be. */
  #hedge(now: number): void {
    const { latencies, snapshot: { retry: { hedge } } } = this.attempts.pool!;
    if (hedge === undefined || hedge === "never") return;
    if (!this.#plain || this.attempts.stuck || this.#hedged || !this.#repeats) return;
    const afterMs = "afterMs" in hedge ? hedge.afterMs : latencies!.quantile(hedge.quantile);
    if (afterMs === Infinity) return;
    this.#hedged = true;
    this.#hedging ??= new Hedging(this, this.#owner.client.environment);
    this.#hedging.begin(now + afterMs);
  }
}
