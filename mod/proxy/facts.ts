/**
 * The facts of a request as routing and redirects ask for them: strings, made only when asked for.
 * One instance a worker; good only while the head it was set to is.
 */
import { latin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import { CACHE_MISS, RouteCache } from "../route/cache.ts";
import type { RequestFacts, RouteTable } from "../route/match.ts";

export class HeadFacts implements RequestFacts {
  /** True once something was asked for, since `set`, that is neither method, host nor path. */
  askedMore = false;
  #head!: Head;
  #info!: RequestInfo;
  #bytes!: Uint8Array;
  #client = "";
  #serverName = "";

  set(head: Head, info: RequestInfo, bytes: Uint8Array, client: string, serverName = ""): this {
    this.askedMore = false;
    this.#head = head;
    this.#info = info;
    this.#bytes = bytes;
    this.#client = client;
    this.#serverName = serverName;
    return this;
  }

  get method(): string {
    return latin1(this.#bytes, this.#head.start, this.#head.methodEnd);
  }

  get host(): string {
    const { hostStart } = this.#info;
    return latin1(this.#bytes, hostStart, hostNameEnd(this.#info, this.#bytes)).toLowerCase();
  }

  get path(): string {
    const { pathStart, pathEnd, emptyPath } = this.#info;
    return (emptyPath ? "/" : "") + latin1(this.#bytes, pathStart, pathEnd);
  }

  get client(): string {
    this.askedMore = true;
    return this.#client;
  }

  get serverName(): string {
    this.askedMore = true;
    return this.#serverName;
  }

  get query(): string {
    this.askedMore = true;
    const { pathEnd } = this.#info;
    const { targetEnd } = this.#head;
    return pathEnd < targetEnd ? latin1(this.#bytes, pathEnd + 1, targetEnd) : "";
  }

  header(name: string): string | null {
    this.askedMore = true;
    return fieldValue(this.#head, this.#bytes, name);
  }
}

/**
 * Value of a field by lower-case name, several joined by `, ` (RFC 9110, section 5.2), cookies as such (RFC 9113,
 * section 8.2.3); null: absent.
 */
export function fieldValue(head: Head, bytes: Uint8Array, name: string): string | null {
  const between = name === "cookie" ? "; " : ", ";
  let value: string | null = null;
  for (let i = 0; i < head.count; i++) {
    if (head.nameEnd(i) - head.nameStart(i) !== name.length) continue;
    if (latin1(bytes, head.nameStart(i), head.nameEnd(i)).toLowerCase() !== name) continue;
    const text = latin1(bytes, head.valueStart(i), head.valueEnd(i));
    value = value === null ? text : value + between + text;
  }
  return value;
}

/** Offset behind the host name: without port and without a trailing dot. */
function hostNameEnd(info: RequestInfo, bytes: Uint8Array): number {
  const { hostStart, hostEnd } = info;
  let end = hostEnd;
  while (end > hostStart && bytes[end - 1]! >= 0x30 && bytes[end - 1]! <= 0x39) end--;
  end = end > hostStart && bytes[end - 1] === 0x3a ? end - 1 : hostEnd;
  return end > hostStart && bytes[end - 1] === 0x2e ? end - 1 : end;
}

/**
 * Finds the route of a request: by bytes when it is remembered. It is remembered when nothing but method, host and
 * path was looked at to find it, which then depends on nothing else.
 */
export class RequestRouter {
  readonly #cache: RouteCache | null;

  constructor(readonly table: RouteTable) {
    this.#cache = table.constant === null ? new RouteCache(table.needs) : null;
  }

  /** Index of the route, or -1. */
  match(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    client: string,
    facts: HeadFacts,
    serverName = "",
  ): number {
    if (this.table.constant !== null) return this.table.constant;
    const cache = this.#cache!;
    if (info.emptyPath) return this.table.match(facts.set(head, info, bytes, client, serverName));
    const { hostStart, hostEnd, pathStart, pathEnd } = info;
    const { start, methodEnd } = head;
    let route = cache.get(bytes, start, methodEnd, hostStart, hostEnd, pathStart, pathEnd);
    if (route !== CACHE_MISS) return route;
    route = this.table.match(facts.set(head, info, bytes, client, serverName));
    if (!facts.askedMore) cache.set(bytes, start, methodEnd, hostStart, hostEnd, pathStart, pathEnd, route);
    return route;
  }
}
