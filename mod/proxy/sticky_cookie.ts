/**
 * Sessions that the client remembers, by a cookie: one of ours (`insert`), or one of the server's that the id of the
 * server is put before (`prefix`) or into (`rewrite`).
 *
 * An answer's head is changed after it is composed, and only where there is something to change: a client that has
 * its cookie costs a look through its cookies.
 */
import { ServerIds } from "../balance/server_ids.ts";
import type { Stick } from "../balance/stick.ts";
import { StickCounts, type StickMemory } from "../balance/stick_table.ts";
import type { ServerSnapshot } from "../config/snapshot.ts";
import type { CookieSticky } from "../config/sticky_snapshot.ts";
import { equalsLower, fromLatin1, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import { findField, findPair, lineEnd, pairAt, pairRange, replaceRange } from "./head_bytes.ts";
import { crlf, type UpstreamRequest } from "./request_head.ts";
import type { HeadEditor, PoolSticky, RequestClient, RequestStick } from "./sticky.ts";
import { decodeDate, encodeDate, expired } from "./sticky_dates.ts";

const COOKIE = fromLatin1("cookie:");
const SET_COOKIE = "set-cookie";
const SET_COOKIE_FIELD = fromLatin1(`${SET_COOKIE}:`);
const NOTHING = fromLatin1("");
/** Between the id and the server's own value. HAProxy: the same. */
const PREFIX_END = "~";
const BEFORE_DATES = "|";

export class CookieSessions implements PoolSticky {
  readonly ids: ServerIds;
  readonly counts: StickCounts;
  readonly name: Uint8Array;
  /** Whether cookies bear dates. */
  readonly dated: boolean;
  readonly #lineStart: string;
  readonly #lineEnd: string;
  /** Of cookies without dates, by index of the server, as they are needed. */
  readonly #lines: Uint8Array[] = [];

  constructor(
    servers: readonly ServerSnapshot[],
    readonly settings: CookieSticky,
    memory: StickMemory,
    worker: number,
  ) {
    this.ids = new ServerIds(servers);
    this.counts = new StickCounts(memory, worker);
    this.name = fromLatin1(settings.name);
    this.dated = settings.maxIdleMs > 0 || settings.maxLifeMs > 0;
    this.#lineStart = `Set-Cookie: ${settings.name}=`;
    this.#lineEnd = `${settings.attributes}\r\n${settings.noCache ? "Cache-Control: private\r\n" : ""}`;
  }

  get redispatch(): boolean {
    return this.settings.redispatch;
  }

  ofRequest(
    { environment }: RequestClient,
    request: UpstreamRequest,
    head: Head,
    _info: RequestInfo,
    bytes: Uint8Array,
  ): CookieStick {
    const stick = new CookieStick(this, this.dated ? environment.wallClock() : 0);
    let found = false;
    for (let field = 0; field < head.count; field++) {
      if (head.ids[field] !== names.COOKIE) continue;
      const end = head.valueEnd(field);
      let pair = findPair(bytes, head.valueStart(field), end, this.name);
      found ||= pair !== null;
      for (; pair !== null; pair = findPair(bytes, pair.end, end, this.name)) {
        stick.read(latin1(bytes, pair.value, pair.end));
      }
    }
    if (found) this.#hide(request);
    return stick;
  }

  /** Nothing of a connection is a cookie. */
  ofConnection(): Stick {
    return new CookieStick(this, 0);
  }

  /** The lines that give a client the id of a server. */
  lines(index: number, dates: string): Uint8Array {
    if (dates !== "") return this.#made(index, dates);
    return this.#lines[index] ??= this.#made(index, "");
  }

  #made(index: number, dates: string): Uint8Array {
    return fromLatin1(this.#lineStart + this.ids.texts[index] + dates + this.#lineEnd);
  }

  /** Takes out of a request what the server is not to see. */
  #hide(request: UpstreamRequest): void {
    const { mode, indirect } = this.settings;
    if (mode === "rewrite" || mode === "insert" && !indirect) return;
    const { bytes } = request.lease!;
    let line = findField(bytes, 0, request.length, COOKIE);
    while (line >= 0) {
      const next = mode === "insert" ? this.#removePairs(request, line) : this.#removePrefixes(request, line);
      line = findField(bytes, next, request.length, COOKIE);
    }
  }

  /** Returns where the next line begins. */
  #removePairs(request: UpstreamRequest, line: number): number {
    const { bytes } = request.lease!;
    const start = line + COOKIE.length;
    for (;;) {
      const next = lineEnd(bytes, line);
      const pair = findPair(bytes, start, next - 2, this.name);
      if (pair === null) return next;
      const [from, to] = pairRange(bytes, start, next - 2, pair);
      if (from > start || to < next - 2) request.cut(from, to);
      else {
        request.cut(line, next);
        return line;
      }
    }
  }

  #removePrefixes(request: UpstreamRequest, line: number): number {
    const { bytes } = request.lease!;
    let at = line + COOKIE.length;
    for (;;) {
      const next = lineEnd(bytes, line);
      const pair = findPair(bytes, at, next - 2, this.name);
      if (pair === null) return next;
      const cut = latin1(bytes, pair.value, pair.end).indexOf(PREFIX_END) + 1;
      request.cut(pair.value, pair.value + cut);
      at = pair.end - cut;
    }
  }
}

class CookieStick implements RequestStick, HeadEditor {
  room = 0;
  readonly #sessions: CookieSessions;
  readonly #now: number;
  /** The server that the cookie names, or -1. */
  #told = -1;
  /** The cookie is no longer good. */
  #old = false;
  #last = 0;
  #first = 0;
  #index = -1;
  /** How many cookies of our name the server sets itself. */
  #own = 0;
  /** Lines to add to the answer. */
  #lines: Uint8Array = NOTHING;

  /** `now` in milliseconds since 1970; counts only where cookies bear dates. */
  constructor(sessions: CookieSessions, now: number) {
    this.#sessions = sessions;
    this.#now = now;
  }

  /** Takes the value of a cookie; the first that names a server counts. */
  read(value: string): void {
    if (this.#told >= 0) return;
    const { ids, settings: { mode, maxIdleMs, maxLifeMs } } = this.#sessions;
    if (mode === "prefix") {
      const end = value.indexOf(PREFIX_END);
      if (end >= 0) this.#told = ids.find(value.slice(0, end));
      return;
    }
    const [id = "", last = "", first = ""] = value.split(BEFORE_DATES);
    this.#told = ids.find(id);
    this.#last = decodeDate(last);
    this.#first = decodeDate(first);
    this.#old = expired(this.#last, maxIdleMs, this.#now) || expired(this.#first, maxLifeMs, this.#now);
    if (this.#old) this.#first = 0;
  }

  get home(): number {
    return this.#old ? -1 : this.#told;
  }

  wanted(): number {
    return this.home;
  }

  settle(index: number): number {
    this.#index = index;
    const { home } = this;
    this.#sessions.counts.add(home < 0 ? "misses" : home === index ? "hits" : "moved");
    return index;
  }

  onAnswer(head: Head, bytes: Uint8Array): HeadEditor | null {
    const { settings: { mode, preserve }, ids } = this.#sessions;
    const own = this.#own = this.#countOwn(head, bytes);
    if (mode !== "insert") {
      this.room = own * (ids.texts[this.#index]!.length + 1);
      return own > 0 ? this : null;
    }
    if (own > 0 && preserve) return null;
    if (this.#isDue()) {
      this.#lines = this.#sessions.lines(this.#index, this.#dates());
      this.room = this.#lines.length;
    }
    return own > 0 || this.room > 0 ? this : null;
  }

  edit(out: Uint8Array, length: number): number {
    let next = 0;
    // There is room for so many, whoever else may have set more of that name meanwhile.
    for (let left = this.#own; left > 0;) {
      const line = findField(out, next, length, SET_COOKIE_FIELD);
      if (line < 0) break;
      next = lineEnd(out, line);
      const pair = pairAt(out, line + SET_COOKIE_FIELD.length, next - 2, this.#sessions.name);
      if (pair === null) continue;
      const before = length;
      length = this.#change(out, length, line, next, pair.value, pair.end);
      next += length - before;
      left--;
    }
    if (this.#lines.length === 0) return length;
    out.set(this.#lines, length - 2);
    return crlf(out, length - 2 + this.#lines.length);
  }

  /** Changes a `Set-Cookie` of the server that has our name. */
  #change(
    out: Uint8Array,
    length: number,
    line: number,
    next: number,
    value: number,
    end: number,
  ): number {
    const { settings: { mode }, ids } = this.#sessions;
    const id = ids.texts[this.#index]!;
    if (mode === "insert") return replaceRange(out, length, line, next, NOTHING);
    if (mode === "rewrite") return replaceRange(out, length, value, end, fromLatin1(id));
    return replaceRange(out, length, value, value, fromLatin1(id + PREFIX_END));
  }

  /** The client is to get a cookie: it has none, one of another server, or one whose dates are not what they should be. */
  #isDue(): boolean {
    if (this.#index !== this.home) return true;
    const { dated, settings: { maxIdleMs, maxLifeMs } } = this.#sessions;
    if (!dated) return this.#last > 0 || this.#first > 0;
    if ((maxIdleMs > 0 || this.#last > 0) && this.#last < this.#now) return true;
    return (maxLifeMs > 0) !== (this.#first > 0);
  }

  #dates(): string {
    const { dated, settings: { maxLifeMs } } = this.#sessions;
    if (!dated) return "";
    const dates = BEFORE_DATES + encodeDate(this.#now);
    if (maxLifeMs === 0) return dates;
    return dates + BEFORE_DATES + encodeDate(this.#first > 0 ? this.#first : this.#now);
  }

  #countOwn(head: Head, bytes: Uint8Array): number {
    let own = 0;
    for (let field = 0; field < head.count; field++) {
      if (!equalsLower(bytes, head.nameStart(field), head.nameEnd(field), SET_COOKIE)) continue;
      if (pairAt(bytes, head.valueStart(field), head.valueEnd(field), this.#sessions.name) !== null) own++;
    }
    return own;
  }
}
