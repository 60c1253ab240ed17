/**
 * What answers one exchange without a server: its route (`own_answer.ts`) or the cache, which also looks at what
 * servers answer (`caching.ts`, `stored_answer.ts`). Reused for every request of a client connection.
 *
 * It must not know of servers.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { Answer } from "../http/answer.ts";
import { latin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { AnswerRelay } from "./answer_relay.ts";
import { type Asked, Caching, PASS, type Taken } from "./caching.ts";
import type { Changes } from "./changes.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { LiveCache, LiveRoute } from "./environment.ts";
import type { Sent } from "./file_answer.ts";
import type { Onward } from "./onward.ts";
import { type Asked as AskedOfRoute, OwnAnswer } from "./own_answer.ts";
import type { Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";
import { StoredAnswer } from "./stored_answer.ts";
import { toldPlace } from "./told_place.ts";

export interface LocalSideOwner {
  /** What another request fetched may have come. */
  onFetched(): void;
  readonly client: ClientConnection;
  readonly request: UpstreamRequest;
  readonly record: Record;
  readonly headRequest: boolean;
}

export class LocalSide {
  /** Where a request goes if the cache has it go to a server. */
  onward!: Onward;
  readonly #owner: LocalSideOwner;
  readonly #changes: Changes;
  readonly #relay: AnswerRelay;
  readonly #own: OwnAnswer;
  /** Both are made with the first request of a route that has a cache. */
  #caching: Caching | null = null;
  #stored: StoredAnswer | null = null;
  /** Which of them answers. */
  #answer: OwnAnswer | StoredAnswer;

  constructor(owner: LocalSideOwner, changes: Changes, relay: AnswerRelay) {
    this.#owner = owner;
    this.#changes = changes;
    this.#relay = relay;
    this.#answer = this.#own = new OwnAnswer(owner.client, owner.record, changes);
  }

  /** Whether the client's connection is kept behind the answer. */
  get keepAlive(): boolean {
    return this.#answer.keepAlive;
  }

  /** After BROKEN_OFF: why. */
  get problem(): ErrorCode {
    return this.#answer.problem;
  }

  /** Until when a request waits for another one's answer. */
  get waitsUntil(): number {
    return this.#caching!.waitsUntil;
  }

  /** Answers as the route says. */
  respond(route: LiveRoute, asked: AskedOfRoute): Sent {
    return this.#own.start(route, asked);
  }

  /** Answers as somebody else has decided. */
  give(answer: Answer, keepAlive: boolean): Sent {
    return this.#own.give(answer, this.#owner.headRequest, keepAlive);
  }

  /**
   * What the cache has done with a request, composed; its head is good only during the call. `trusted`: it is of a
   * proxy that is believed.
   */
  ask(
    { cache, onward, trusted }: {
      readonly cache: LiveCache;
      readonly onward: Onward;
      readonly trusted: boolean;
    },
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
  ): Asked {
    const { address, environment, identity, stream: { tls } } = this.#owner.client;
    this.onward = onward;
    this.#caching ??= new Caching(environment, this.#owner);
    const facts = environment.facts.set(head, info, bytes, address, tls?.serverName);
    const authority = latin1(bytes, info.hostStart, info.hostEnd);
    const seen = { scheme: tls === undefined ? "http" : "https", authority };
    const came = trusted ? toldPlace(facts, seen) : seen;
    const identified = identity !== null || tls !== undefined && tls.client !== null;
    return this.#caching.begin({ cache, onward, came, identified, facts, info });
  }

  /** The same after a wait. */
  askAgain(): Asked {
    return this.#caching!.askAgain();
  }

  /** Answers with what is stored. */
  serve(keepAlive: boolean): Sent {
    const { client, record, headRequest } = this.#owner;
    const { entry, conditions, line } = this.#caching!;
    // No server was chosen that a session could be on.
    this.#relay.stick = null;
    this.#relay.tell(line);
    this.#answer = this.#stored ??= new StoredAnswer(client, record, this.#changes, this.#relay);
    return this.#stored.start(entry!, { conditions, headRequest, keepAlive });
  }

  /** What becomes of a server's final answer. */
  answered(head: Head, info: ResponseInfo, bytes: Uint8Array): Taken {
    const caching = this.#caching;
    if (caching === null || !caching.active) return PASS;
    const taken = caching.onHead(head, info, bytes);
    this.#relay.tell(caching.line);
    if (caching.fill.storing) this.#relay.tap = caching.fill;
    return taken;
  }

  /** Servers gave no answer, or (`answered`) one of such a status: true when what is stored is to be used instead. */
  failed(status: number, answered: boolean): boolean {
    return status >= 500 && this.#caching !== null && this.#caching.onFailed(answered ? status : 0);
  }

  /** A server's answer has been passed on to its end. */
  completed(): void {
    this.#caching?.fill.completed();
  }

  /** The client gets something else than the server's answer. */
  answeredInstead(): void {
    this.#caching?.fill.passed();
  }

  /** The request gets what is not for the cache. */
  giveUp(): void {
    this.#caching?.giveUp();
  }

  /** The client's stream has room again. */
  onDrain(): Sent {
    return this.#answer.onDrain();
  }

  /** The deadline of a stream without room has passed. */
  onDeadline(): Sent {
    return this.#answer.onDeadline();
  }

  /** The exchange is over. */
  end(): void {
    this.#answer.close();
    this.#answer = this.#own;
    this.#caching?.end();
  }
}
