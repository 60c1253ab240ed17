/**
 * Renews a stored answer that clients are given meanwhile (RFC 5861 section 3): the copy of a request, on its own.
 */
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import { CacheFill, type FillTerms, STORING } from "./cache_fill.ts";
import { askWhetherGood, CACHE_ROOM, hasValidator, removeConditions } from "./cache_request.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { type LoneOwner, LoneRequest } from "./lone_request.ts";
import type { Onward } from "./onward.ts";
import { UpstreamRequest } from "./request_head.ts";

/** Under way at a time, in each worker; what would be more is renewed with a later request. */
const MAX_REFRESHES = 100;

/** True when one more may be begun. A server that wants to hear of a client first has none to hear of. */
export function mayRefresh({ cache }: ProxyEnvironment, { pool }: Onward): boolean {
  return cache.refreshing < MAX_REFRESHES && pool.snapshot.proxyProtocol === undefined;
}

/** Begins to renew `terms.entry`, with a copy of the request of a client that has it. */
export function refresh(
  environment: ProxyEnvironment,
  request: UpstreamRequest,
  { pool, hash }: Onward,
  terms: Omit<FillTerms, "request">,
): void {
  const copy = copyOf(request, environment);
  const { terms: stored } = terms.entry!;
  if (hasValidator(stored)) askWhetherGood(copy, stored);
  else removeConditions(copy);
  const owner = new Refresh(environment, { ...terms, request: copy });
  const { lease, length: end } = copy;
  new LoneRequest(owner, pool, environment, {
    ...{ lease: lease!, start: 0, end, hash },
    isHead: false,
    idempotent: true,
  }).start();
}

class Refresh implements LoneOwner {
  readonly #fill: CacheFill;
  readonly #environment: ProxyEnvironment;
  readonly #terms: FillTerms;
  #stores = false;

  constructor(environment: ProxyEnvironment, terms: FillTerms) {
    this.#environment = environment;
    this.#fill = new CacheFill(environment);
    this.#terms = terms;
    this.#fill.start(terms);
    terms.entry!.body.share();
    environment.cache.refreshing++;
  }

  onAnswerHead(head: Head, info: ResponseInfo, bytes: Uint8Array): void {
    // An error says nothing of what is stored.
    if (head.status >= 500) this.#fill.failed();
    else this.#stores = this.#fill.onHead(head, info, bytes) === STORING;
  }

  onAnswerBody(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#stores) this.#fill.onBody(bytes, start, end);
    return this.#stores && this.#fill.storing;
  }

  onAnswerOver(how: "whole" | "cut" | "failed"): void {
    if (how === "whole") this.#fill.completed();
    else if (how === "failed") this.#fill.failed();
    this.#fill.end();
    this.#terms.entry!.body.release();
    this.#environment.cache.refreshing--;
  }
}

function copyOf({ lease, length }: UpstreamRequest, { buffers }: ProxyEnvironment): UpstreamRequest {
  const copy = new UpstreamRequest();
  copy.lease = buffers.atLeast(length + CACHE_ROOM);
  copy.lease.bytes.set(lease!.bytes.subarray(0, length));
  copy.length = length;
  copy.tail = copy.lease.bytes.length;
  return copy;
}
