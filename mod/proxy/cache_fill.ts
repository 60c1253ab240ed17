/**
 * What becomes of a server's answer in the cache: stored while it passes by, or taken for the word that what is stored
 * is still good. The same whether a client waits for the answer or not.
 *
 * It must not know of clients.
 */
import type { Directives } from "../cache/directives.ts";
import type { Fetch } from "../cache/fetches.ts";
import { type Received, renewedHead, storedField, storedHead } from "../cache/head.ts";
import type { CacheKey } from "../cache/key.ts";
import { opaqueTag } from "../cache/reply.ts";
import type { Entry, Filling, Moment, NewEntry } from "../cache/store.ts";
import { type Field, storing, type Terms } from "../cache/storing.ts";
import { selection } from "../cache/vary.ts";
import type { CacheSnapshot } from "../config/cache_snapshot.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { BodyTap } from "./body_relay.ts";
import { hasValidator, sentField } from "./cache_request.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { fieldValue } from "./facts.ts";
import type { UpstreamRequest } from "./request_head.ts";

/** What a fetch is for. */
export interface FillTerms {
  readonly policy: CacheSnapshot;
  readonly key: CacheKey;
  /** As it was sent. */
  readonly request: UpstreamRequest;
  readonly directives: Directives;
  /** Tandem itself has asked who it is of: as with `Authorization`, its answer may be for that one alone. */
  readonly identified: boolean;
  /** What it is to renew or to replace, of whose body a share is held; null: nothing is stored. */
  readonly entry: Entry | null;
  /** Who else waits for it; null: nobody can. */
  readonly fetch: Fetch | null;
}

/** The body is stored as it passes by. */
export const STORING = 0;
/** It is not stored. */
export const PASSING = 1;
/** What is stored is good again. */
export const RENEWED = 2;
/** It is about something else than what was asked for, which is forgotten. */
export const CONFUSED = 3;
export type Filled = 0 | 1 | 2 | 3;

/** Statuses that say nothing of the whole answer: parts, and what depends on conditions of the client's. */
const NOT_WHOLE = [206, 304, 416];
const NOBODY: readonly string[] = [];

export class CacheFill implements BodyTap {
  /** After RENEWED: what was stored, with all that the server has said to this client, be it for this one alone. */
  renewed: Entry | null = null;
  readonly #environment: ProxyEnvironment;
  #terms: FillTerms | null = null;
  #since!: Moment;
  #startedAt = 0;
  #filling: Filling | null = null;
  #entry!: NewEntry;

  constructor(environment: ProxyEnvironment) {
    this.#environment = environment;
  }

  /** The body is still being stored. */
  get storing(): boolean {
    return this.#filling !== null;
  }

  /** Begins with a request that is about to be sent. */
  start(terms: FillTerms): void {
    const { cache, now } = this.#environment;
    this.#terms = terms;
    this.#since = cache.store.moment(terms.key);
    this.#startedAt = now();
  }

  /** The same request is about to be sent once more, for the whole answer. */
  startAgain(): void {
    this.start({ ...this.#terms!, entry: null });
  }

  /** The head of the final answer, good only during the call. */
  onHead(head: Head, info: ResponseInfo, bytes: Uint8Array): Filled {
    const { key, entry } = this.#terms!;
    const { cache: { store }, now, httpDate } = this.#environment;
    const received = { head, bytes, nominated: info.nominated };
    if (head.status === 304 && entry !== null && hasValidator(entry.terms)) {
      return this.#renew(entry, received);
    }
    const asked = sentField(this.#terms!.request);
    const terms = this.#judge(head.status, (name) => fieldValue(head, bytes, name), asked);
    if (terms !== null) this.#filling = store.begin(key, info.contentLength, this.#since);
    if (terms === null || this.#filling === null) {
      // RFC 9111 section 4.3.3: it is in the place of what was stored, unless it is an error.
      if (entry !== null && head.status < 500 && !NOT_WHOLE.includes(head.status)) store.remove(entry);
      this.#pass();
      return PASSING;
    }
    const kept = storedHead(received, terms.leftOut, httpDate());
    const variant = selection(terms.vary, asked);
    this.#entry = { variant, status: head.status, head: kept, terms, storedAt: now() };
    return STORING;
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    const filling = this.#filling;
    if (filling === null || this.#environment.cache.store.append(filling, bytes, start, end)) return;
    this.#filling = null;
    this.#pass();
  }

  /** There is no answer, or one that says that servers fail: who waits for it need not wait for the next one. */
  failed(): void {
    const fetch = this.#terms?.fetch ?? null;
    if (fetch !== null) fetch.failed = true;
  }

  /** The client gets something else: what there is of the answer is not stored. */
  passed(): void {
    if (this.#terms === null) return;
    if (this.#filling !== null) this.#environment.cache.store.drop(this.#filling);
    this.#filling = null;
    if (this.#terms.fetch?.failed === false) this.#pass();
  }

  /** The answer is whole. */
  completed(): void {
    const { store } = this.#environment.cache;
    if (this.#filling !== null) store.commit(this.#filling, this.#entry);
    this.#filling = null;
  }

  /** It is over, however; what is not whole is not stored. Harmless when that has been said. */
  end(): void {
    if (this.#terms === null) return;
    if (this.#filling !== null) this.#environment.cache.store.drop(this.#filling);
    this.#filling = null;
    this.#endFetch();
    this.#terms = this.renewed = null;
  }

  /** RFC 9111 section 4.3.4. */
  #renew(entry: Entry, received: Received): Filled {
    const { cache: { store }, now, httpDate } = this.#environment;
    const { head, bytes } = received;
    const told = fieldValue(head, bytes, "etag");
    // Some servers forget that what they compressed has a weak tag. Another tag renews what we have not got.
    if (told !== null && opaqueTag(told) !== opaqueTag(entry.terms.etag)) {
      store.remove(entry);
      return CONFUSED;
    }
    const date = httpDate();
    // Judged with all of it, as an answer that is not from the store.
    const merged = renewedHead(entry.head, received, NOBODY, date);
    // An age is told anew, and not kept.
    const age = fieldValue(head, bytes, "age");
    const field: Field = (name) => name === "age" ? age : storedField(merged, name);
    const terms = this.#judge(entry.status, field, sentField(this.#terms!.request));
    const spent = { ...entry.terms, freshMs: 0, ageMs: 0 };
    this.renewed = { ...entry, head: merged, terms: terms ?? spent, storedAt: now() };
    if (terms === null) {
      store.remove(entry);
      this.#pass();
    } else store.renew(entry, renewedHead(entry.head, received, terms.leftOut, date), terms, now());
    return RENEWED;
  }

  #judge(status: number, field: Field, asked: Field): Terms | null {
    const { policy, directives, identified } = this.#terms!;
    return storing(status, field, {
      policy,
      directives,
      authorized: identified || asked("authorization") !== null,
      wall: this.#environment.wallClock(),
      delayMs: this.#environment.now() - this.#startedAt,
    });
  }

  /** Nothing comes of it: nobody is to wait for the next one either. */
  #pass(): void {
    const { fetch, key } = this.#terms!;
    if (fetch === null) return;
    this.#environment.cache.store.markUnstorable(key, this.#environment.now());
    this.#endFetch();
  }

  /** Wakes who waits, outside of all other calls: each may end at once. */
  #endFetch(): void {
    const { fetch } = this.#terms!;
    if (fetch !== null && !fetch.ended) this.#environment.soon(() => fetch.end());
  }
}
