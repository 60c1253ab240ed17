/**
 * The cache as one exchange sees it: what is done with a request (used from the store, renewed, fetched, waited for
 * while another fetches it), and what with the answer of the server that was asked.
 *
 * Made with the first request of a route that has a cache. A machine: a wait ends by `onFetched`, or by the exchange's
 * deadline. It must not know of connections.
 */
import { type Directives, parseDirectives } from "../cache/directives.ts";
import type { Fetch, FetchWaiter } from "../cache/fetches.ts";
import { type CacheKey, cacheKey, targetOf } from "../cache/key.ts";
import { type CacheStatus, cacheStatusLine, type CacheWord } from "../cache/outcome.ts";
import { type Conditions, conditionsOf, UNCONDITIONAL } from "../cache/reply.ts";
import type { Entry } from "../cache/store.ts";
import { FRESH, RENEWING, ttlSeconds, usableOnError, useOf } from "../cache/use.ts";
import { NONE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { RequestFacts } from "../route/match.ts";
import { CacheFill, CONFUSED, RENEWED, STORING } from "./cache_fill.ts";
import { mayRefresh, refresh } from "./cache_refresh.ts";
import { askWhetherGood, hasValidator, removeConditions, sentField } from "./cache_request.ts";
import type { LiveCache, ProxyEnvironment } from "./environment.ts";
import { fieldValue } from "./facts.ts";
import type { Onward } from "./onward.ts";
import type { Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";
import type { CameBy } from "./told_place.ts";

/** Ask a server. */
export const FORWARD = 0;
/** Answer with what is stored, `entry`. */
export const SERVE = 1;
/** Wait until `onFetched`, or until `waitsUntil`. */
export const WAIT = 2;
/** Refuse it: only what is stored was wanted. */
export const REFUSE = 3;
export type Asked = 0 | 1 | 2 | 3;

/** Pass the server's answer on. */
export const PASS = 0;
/** Answer with what is stored instead. */
export const INSTEAD = 1;
/** Ask a server once more: its answer is about something else than what is stored. */
export const AGAIN = 2;
export type Taken = 0 | 1 | 2;

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"];

/** A request of a route with a cache, composed, and where it goes if it is not answered here. */
export interface CachedRequest {
  readonly cache: LiveCache;
  readonly onward: Onward;
  readonly came: CameBy;
  /** Who it is of has been asked, and is known. */
  readonly identified: boolean;
  /** Good only during the call. */
  readonly facts: RequestFacts;
  readonly info: RequestInfo;
}

export interface CachingOwner {
  /** What it waited for may have come. */
  onFetched(): void;
  readonly request: UpstreamRequest;
  readonly record: Record;
}

export class Caching implements FetchWaiter {
  /** What is stored, and used or renewed; a share of its body is held until the end. */
  entry: Entry | null = null;
  /** What of it the client gets. */
  conditions: Conditions = UNCONDITIONAL;
  /** `Cache-Status`, or nothing. */
  line = "";
  waitsUntil = 0;
  readonly fill: CacheFill;
  readonly #environment: ProxyEnvironment;
  readonly #owner: CachingOwner;
  /** Null: no request of a route with a cache is under way. */
  #cache: LiveCache | null = null;
  #onward!: Onward;
  #key!: CacheKey;
  #method = "";
  /** The URL of a request that may change what is there. */
  #changed = { host: "", target: "" };
  #directives!: Directives;
  #identified = false;
  /** Where it waits. */
  #waitsFor: Fetch | null = null;
  /** It has waited. */
  #collapsed = false;
  /** What it waited for has failed. */
  #failed = false;
  /** The server's answer may come into the store, or something stored into the place of it. */
  #concerned = false;
  #status: CacheStatus = { forwarded: null };

  constructor(environment: ProxyEnvironment, owner: CachingOwner) {
    this.#environment = environment;
    this.#owner = owner;
    this.fill = new CacheFill(environment);
  }

  get active(): boolean {
    return this.#cache !== null;
  }

  /** Begins with a request, and says what to do. */
  begin({ cache, onward, came, identified, facts, info }: CachedRequest): Asked {
    const { snapshot, bypass } = cache;
    this.#cache = cache;
    this.#onward = onward;
    this.#method = facts.method;
    this.#identified = identified;
    this.#collapsed = this.#concerned = this.#failed = false;
    this.waitsUntil = 0;
    const place = { route: snapshot.identity, pool: onward.pool.snapshot.name, ...came };
    this.#key = cacheKey(snapshot.key, facts, place);
    if (this.#method !== "GET" && this.#method !== "HEAD") {
      this.#changed = { host: facts.host, target: targetOf(facts) };
      return this.#pass("method");
    }
    if (isForOrigin(facts, info) || bypass.some((holds) => holds(facts))) return this.#pass("bypass");
    this.conditions = conditionsOf(facts);
    this.#directives = parseDirectives(facts.header("cache-control"));
    return this.#ask();
  }

  /** The fetch that it waited for is over. */
  onFetched(failed: boolean): void {
    this.#waitsFor = null;
    this.#collapsed = true;
    this.#failed = failed;
    this.#owner.onFetched();
  }

  /** Says what to do after a wait. */
  askAgain(): Asked {
    this.#waitsFor?.waiters.delete(this);
    this.#waitsFor = null;
    return this.#ask();
  }

  /** What becomes of a server's final answer. */
  onHead(head: Head, info: ResponseInfo, bytes: Uint8Array): Taken {
    if (!this.#concerned) {
      if (!SAFE.includes(this.#method) && head.status < 400) this.#invalidate(head, bytes);
      return PASS;
    }
    if (this.#method === "HEAD") return PASS;
    const filled = this.fill.onHead(head, info, bytes);
    if (filled === CONFUSED) {
      removeConditions(this.#owner.request);
      this.#hold(null);
      this.fill.startAgain();
      return AGAIN;
    }
    if (filled === STORING) this.#say(this.#owner.record.cache, { ...this.#status, stored: true });
    if (filled !== RENEWED) return PASS;
    // The body is the same.
    this.entry = this.fill.renewed;
    const ttl = ttlSeconds(this.entry!.terms, 0);
    this.#say("REVALIDATED", { forwarded: "stale", forwardedStatus: 304, ttl });
    return INSTEAD;
  }

  /** A server has answered with this error, or (0) none has: true when what is stored is used instead. */
  onFailed(status: number): boolean {
    if (!this.#concerned) return false;
    this.fill.failed();
    if (!this.#usableOnError) return false;
    this.#say("STALE", { forwarded: "stale", ...status === 0 ? {} : { forwardedStatus: status } });
    return true;
  }

  /** The request goes where its answer is not for the cache, and does not ask about what is stored any more. */
  giveUp(): void {
    if (this.#concerned && this.entry !== null) removeConditions(this.#owner.request);
    this.fill.passed();
    this.end();
  }

  /** The exchange is over. */
  end(): void {
    if (this.#cache === null) return;
    this.fill.end();
    this.#cache = null;
    this.#concerned = false;
    this.#waitsFor?.waiters.delete(this);
    this.#waitsFor = null;
    this.#hold(null);
    this.line = "";
    this.conditions = UNCONDITIONAL;
  }

  #ask(): Asked {
    const { cache: { store }, now } = this.#environment;
    const { requestDirectives } = this.#cache!.snapshot;
    const entry = store.find(this.#key, sentField(this.#owner.request));
    this.#hold(entry);
    if (entry === null) return this.#fetch();
    const held = now() - entry.storedAt;
    const use = useOf(entry.terms, held, requestDirectives ? this.#directives : null);
    const ttl = ttlSeconds(entry.terms, held);
    if (use === FRESH) {
      this.#say(
        "HIT",
        this.#collapsed ? { forwarded: "miss", ttl, collapsed: true } : { forwarded: null, ttl },
      );
      return SERVE;
    }
    if (use === RENEWING && this.#renewsMeanwhile(entry)) {
      this.#say("UPDATING", { forwarded: null, ttl });
      return SERVE;
    }
    if (!this.#failed || !this.#usableOnError) return this.#fetch();
    this.#say("STALE", { forwarded: "stale", collapsed: true });
    return SERVE;
  }

  /** Has a server asked, or waits while another request does. */
  #fetch(): Asked {
    const { cache: { store, fetches }, now } = this.#environment;
    const { entry } = this;
    const { request } = this.#owner;
    const { collapse, requestDirectives } = this.#cache!.snapshot;
    if (requestDirectives && this.#directives.has("only-if-cached")) {
      this.#owner.record.cache = "MISS";
      return REFUSE;
    }
    const renews = entry !== null && this.#method === "GET" && hasValidator(entry.terms);
    const whole = this.#method === "GET" && (renews || this.conditions === UNCONDITIONAL);
    const stays = entry === null || entry.terms.freshMs > entry.terms.ageMs;
    const shared = whole && stays && collapse !== null && !this.#failed &&
      !store.isUnstorable(this.#key, now());
    const wanted = this.#wanted;
    const under = fetches.of(wanted);
    if (shared && under !== null && this.#waits(under, collapse)) return WAIT;
    this.#concerned = true;
    if (entry !== null) this.#say("EXPIRED", { forwarded: "stale" });
    else this.#say("MISS", { forwarded: store.knows(this.#key) ? "vary-miss" : "uri-miss" });
    if (this.#method !== "GET") return FORWARD;
    if (renews) askWhetherGood(request, entry.terms);
    const fetch = shared && under === null ? fetches.begin(wanted) : null;
    this.fill.start({ ...this.#terms, fetch, request });
    return FORWARD;
  }

  /** False: enough others do, or it has waited for long enough. */
  #waits(
    under: Fetch,
    { waiting, timeoutMs }: { readonly waiting: number; readonly timeoutMs: number },
  ): boolean {
    const now = this.#environment.now();
    if (this.waitsUntil === 0) this.waitsUntil = now + timeoutMs;
    if (under.waiters.size >= waiting || now >= this.waitsUntil) return false;
    under.waiters.add(this);
    this.#waitsFor = under;
    return true;
  }

  /** True when somebody renews it: another request, or one of its own. */
  #renewsMeanwhile(entry: Entry): boolean {
    const { fetches } = this.#environment.cache;
    const wanted = this.#wanted;
    if (fetches.of(wanted) !== null || this.#method === "HEAD") return true;
    if (!mayRefresh(this.#environment, this.#onward)) return false;
    const fetch = fetches.begin(wanted);
    refresh(this.#environment, this.#owner.request, this.#onward, { ...this.#terms, entry, fetch });
    return true;
  }

  /** What is fetched: requests that get different answers do not wait for each other. */
  get #wanted(): string {
    const { store } = this.#environment.cache;
    return `${this.#key.text}\n${store.variantOf(this.#key, sentField(this.#owner.request))}`;
  }

  get #terms() {
    return {
      policy: this.#cache!.snapshot,
      key: this.#key,
      directives: this.#directives,
      identified: this.#identified,
      entry: this.entry,
    };
  }

  get #usableOnError(): boolean {
    const { entry } = this;
    return entry !== null && usableOnError(entry.terms, this.#environment.now() - entry.storedAt);
  }

  #pass(why: "method" | "bypass"): Asked {
    this.#say("BYPASS", { forwarded: why });
    return FORWARD;
  }

  /** RFC 9111 section 4.4: of what it names, only what is of the same host. */
  #invalidate(head: Head, bytes: Uint8Array): void {
    const { memory } = this.#environment.cache.store;
    const { host, target } = this.#changed;
    memory.invalidate(host, target);
    for (const name of ["location", "content-location"]) {
      const named = fieldValue(head, bytes, name);
      const base = `http://${host === "" ? "any" : host}`;
      const url = named === null ? null : URL.parse(named, base + target);
      if (url !== null && url.hostname === new URL(base).hostname) {
        memory.invalidate(host, url.pathname + url.search);
      }
    }
  }

  #say(word: CacheWord, status: CacheStatus): void {
    this.#owner.record.cache = word;
    this.#status = status;
    this.line = this.#cache!.snapshot.statusHeader ? cacheStatusLine(status) : "";
  }

  /** Keeps the body of an entry from being counted out while it may be sent. */
  #hold(entry: Entry | null): void {
    entry?.body.share();
    this.entry?.body.release();
    this.entry = entry;
  }
}

/** RFC 9111 section 4.3.2: of such conditions only the origin can judge; and what has a body or becomes a tunnel. */
function isForOrigin(facts: RequestFacts, { framing, upgrade }: RequestInfo): boolean {
  return framing !== NONE || upgrade || facts.header("if-match") !== null ||
    facts.header("if-unmodified-since") !== null;
}
