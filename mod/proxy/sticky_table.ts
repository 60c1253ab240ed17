/**
 * Sessions that are remembered here, in a table: by the client's address, by what a request shows (a header, a
 * cookie, a parameter) or asks for (the name in TLS), and by what a server's answer shows.
 */
import { parseIp } from "../base/address.ts";
import { ServerIds } from "../balance/server_ids.ts";
import type { Stick } from "../balance/stick.ts";
import { addressKey } from "../balance/stick_key.ts";
import { StickCounts, type StickMemory, StickTable } from "../balance/stick_table.ts";
import type { ServerSnapshot } from "../config/snapshot.ts";
import type { LearnSource, StickKey, TableSticky } from "../config/sticky_snapshot.ts";
import { equalsLower, fromLatin1, latin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { HeadFacts } from "./facts.ts";
import { namedValue } from "./hash_key.ts";
import { pairAt } from "./head_bytes.ts";
import type { UpstreamRequest } from "./request_head.ts";
import type { ClientFacts, PoolSticky, RequestClient, RequestStick } from "./sticky.ts";

export class TableSessions implements PoolSticky {
  readonly ids: ServerIds;
  readonly counts: StickCounts;
  readonly table: StickTable;
  readonly #learn: readonly Learner[];
  readonly #seed: number;
  #text = new Uint8Array(256);

  constructor(
    servers: readonly ServerSnapshot[],
    readonly settings: TableSticky,
    memory: StickMemory,
    worker: number,
  ) {
    this.ids = new ServerIds(servers);
    this.counts = new StickCounts(memory, worker);
    this.table = new StickTable(memory, worker, settings.ttlMs, this.counts);
    this.#seed = memory.seed;
    this.#learn = settings.learn.map((source) => new Learner(source));
  }

  get redispatch(): boolean {
    return this.settings.redispatch;
  }

  ofRequest(
    client: RequestClient,
    _request: UpstreamRequest,
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
  ): RequestStick {
    const { facts, wallClock } = client.environment;
    return this.#stick(client, facts.set(head, info, bytes, client.address), wallClock());
  }

  ofConnection(client: ClientFacts, now: number): Stick {
    return this.#stick(client, null, now);
  }

  /** Remembers what an answer of the server at `index` shows. */
  learn(head: Head, bytes: Uint8Array, index: number, now: number): void {
    for (const learner of this.#learn) {
      const text = learner.read(head, bytes);
      if (text !== "") this.table.set(this.#textKey(text), this.ids.numbers[index]!, now);
    }
  }

  #stick(client: ClientFacts, facts: HeadFacts | null, now: number): TableStick {
    const keys = this.settings.by.map((key) => this.#keyOf(key, client, facts));
    return new TableStick(this, keys.filter((key) => key !== null), now);
  }

  #keyOf({ kind, name }: StickKey, client: ClientFacts, facts: HeadFacts | null): Uint32Array | null {
    if (kind === "sourceIp") return this.#addressKey(client.address);
    let text: string | null = null;
    if (kind === "sni") text = client.serverName.toLowerCase();
    else if (facts !== null) text = namedValue(kind, name, facts);
    return text === null || text === "" ? null : this.#textKey(text);
  }

  #addressKey(address: string): Uint32Array | null {
    const ip = parseIp(address);
    if (ip === null) return null;
    return addressKey(this.#seed, ip, this.settings.mask);
  }

  #textKey(text: string): Uint32Array {
    if (text.length > this.#text.length) this.#text = new Uint8Array(2 * text.length);
    for (let at = 0; at < text.length; at++) this.#text[at] = text.charCodeAt(at);
    return this.table.key(this.#text, text.length, "text");
  }
}

/** Reads what one source of an answer shows. */
class Learner {
  readonly #field: string;
  readonly #cookie: Uint8Array | null;

  constructor({ kind, name }: LearnSource) {
    this.#field = kind === "header" ? name : "set-cookie";
    this.#cookie = kind === "header" ? null : fromLatin1(name);
  }

  /** The value, or nothing. */
  read(head: Head, bytes: Uint8Array): string {
    for (let field = 0; field < head.count; field++) {
      if (!equalsLower(bytes, head.nameStart(field), head.nameEnd(field), this.#field)) continue;
      const start = head.valueStart(field), end = head.valueEnd(field);
      if (this.#cookie === null) return latin1(bytes, start, end);
      const pair = pairAt(bytes, start, end, this.#cookie);
      if (pair !== null) return latin1(bytes, pair.value, pair.end);
    }
    return "";
  }
}

/** The table was not looked at yet. */
const UNKNOWN = -2;

class TableStick implements RequestStick {
  home = UNKNOWN;
  readonly #sessions: TableSessions;
  readonly #keys: readonly Uint32Array[];
  readonly #now: number;
  /** What the session is remembered by: the key that is in the table, else the first. */
  #key: Uint32Array | null;
  /** What the table says, as far as is known. */
  #seen: number | undefined;
  #wanted = -1;
  #index = -1;

  constructor(sessions: TableSessions, keys: readonly Uint32Array[], now: number) {
    this.#sessions = sessions;
    this.#keys = keys;
    this.#key = keys[0] ?? null;
    this.#now = now;
  }

  wanted(): number {
    const { table, ids } = this.#sessions;
    for (const key of this.#keys) {
      this.#seen = table.find(key, this.#now);
      if (this.#seen === undefined) continue;
      this.#key = key;
      break;
    }
    this.#wanted = ids.findNumber(this.#seen);
    if (this.home === UNKNOWN) this.home = this.#wanted;
    return this.#wanted;
  }

  settle(index: number): number {
    this.#index = index;
    const { counts, settings } = this.#sessions;
    if (this.#key === null) return index;
    if (index === this.#wanted) counts.add("hits");
    else if (this.#seen === undefined && !settings.storeRequest) counts.add("misses");
    else return this.#claim(this.#key, index);
    return index;
  }

  onAnswer(head: Head, bytes: Uint8Array): null {
    this.#sessions.learn(head, bytes, this.#index, this.#now);
    return null;
  }

  #claim(key: Uint32Array, index: number): number {
    const { table, ids, counts } = this.#sessions;
    const own = ids.numbers[index]!;
    const seen = this.#seen;
    this.#seen = table.claim(key, seen, own, this.#now);
    const where = ids.findNumber(this.#seen);
    if (where >= 0 && where !== index) return this.#wanted = where;
    // Another worker, before or behind a reload, put it on a server that is not known here.
    if (where < 0) table.set(key, own, this.#now);
    this.#wanted = index;
    this.#seen = own;
    counts.add(seen === undefined ? "misses" : "moved");
    return index;
  }
}
