/**
 * What a request is counted by, as a key of a shared table: the hash of its parts, each with its kind and length, so
 * that no two lists of parts meet. Pure.
 */
import { type IpBytes, maskIp } from "../base/address.ts";
import { hash128 } from "../base/hash.ts";
import type { KeySource, MaskSnapshot } from "../config/guard_snapshot.ts";
import { cookieValue } from "../route/cookie.ts";
import { queryValue } from "../route/query.ts";
import type { GuardRequest } from "./guard.ts";

const FIRST_BYTES = 256;
/** Kind and length. */
const PART_HEAD_BYTES = 5;
const ADDRESS = 0, TEXT = 1;

let scratch = new Uint8Array(FIRST_BYTES);

export class RequestKey {
  readonly #sources: readonly KeySource[];
  readonly #mask: MaskSnapshot;
  readonly #scope: string;
  readonly #seed: number;
  readonly #key = new Uint32Array(4);
  #length = 0;

  /** `scope` stands for the route; `seed`, so that nobody outside knows which keys meet. */
  constructor(sources: readonly KeySource[], mask: MaskSnapshot, scope: string, seed: number) {
    this.#sources = sources;
    this.#mask = mask;
    this.#scope = scope;
    this.#seed = seed;
  }

  /** Good until the next is asked for; null: a part of it is not there. */
  of(request: GuardRequest): Uint32Array | null {
    this.#length = 0;
    for (const source of this.#sources) {
      const found = source.kind === "address"
        ? this.#addAddress(request.ip)
        : this.#addText(this.#textOf(source, request));
      if (!found) return null;
    }
    return this.#hash();
  }

  /** The same of an address alone. */
  ofAddress(ip: IpBytes | null): Uint32Array | null {
    this.#length = 0;
    return this.#addAddress(ip) ? this.#hash() : null;
  }

  #textOf({ kind, name }: Exclude<KeySource, { kind: "address" }>, { facts }: GuardRequest): string | null {
    switch (kind) {
      case "host":
        return facts.host;
      case "path":
        return facts.path;
      case "route":
        return this.#scope;
      case "header":
        return facts.header(name);
      case "query":
        return queryValue(facts.query, name);
      case "cookie":
        return cookieValue(facts.header("cookie"), name);
    }
  }

  #hash(): Uint32Array {
    hash128(this.#key, scratch, 0, this.#length, this.#seed);
    return this.#key;
  }

  #addAddress(ip: IpBytes | null): boolean {
    if (ip === null) return false;
    const bits = ip.length === 4 ? this.#mask.ipv4 : this.#mask.ipv6;
    const at = this.#room(ADDRESS, ip.length);
    scratch.set(bits === 8 * ip.length ? ip : maskIp(ip, bits), at);
    return true;
  }

  #addText(text: string | null): boolean {
    if (text === null || text === "") return false;
    const at = this.#room(TEXT, text.length);
    for (let i = 0; i < text.length; i++) scratch[at + i] = text.charCodeAt(i);
    return true;
  }

  /** Begins a part; returns where its bytes go. */
  #room(kind: number, size: number): number {
    const at = this.#length + PART_HEAD_BYTES;
    this.#length = at + size;
    if (this.#length > scratch.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(scratch);
      scratch = larger;
    }
    scratch[at - 5] = kind;
    for (let byte = 0; byte < 4; byte++) scratch[at - 4 + byte] = size >> 8 * byte;
    return at;
  }
}
