/**
 * Handing a request on from a function to a pool: what the function's answer says of it (`functions/contract.ts`), and
 * what becomes of the composed request, in place.
 *
 * Only routes whose function may do so come here. It must not know of connections.
 */
import { latin1 } from "../http/grammar.ts";
import { BODY, HELD, NEXT, REMOVE, SET_PREFIX, UNTOUCHABLE } from "../functions/contract.ts";
import { CHUNKED } from "../http1/body.ts";
import { DONE, Head, MAX_FIELDS, parseRequestHead } from "../http1/head.ts";
import { readRequest, RequestInfo } from "../http1/request.ts";
import type { LivePool } from "./environment.ts";
import { fieldValue } from "./facts.ts";
import { type Onward, onwardTo } from "./onward.ts";
import { fieldName, type UpstreamRequest } from "./request_head.ts";
import { insertLine, removeFields } from "./request_lines.ts";
import type { RequestClient } from "./sticky.ts";

/** All that a function adds to a request. */
const HANDING_ON_BYTES = 8 * 1024;

/** One a worker: requests are handed on one after the other. */
const head = new Head();
const info = new RequestInfo();

/** To hand the request on. */
interface HandOn {
  readonly kind: "pool";
  /** Undefined: it names one that the route does not. */
  readonly pool: LivePool | undefined;
  /** Lower-case names. */
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
}

/** What a function's answer may say; `word` is how it knows the request again that comes with the body. */
export type Wish = HandOn | { readonly kind: "body"; readonly word: string };

/** The request goes to the same process again, with its body. */
export const AGAIN = Symbol("again");

/** A request on its way to a function that may hand it on. */
export class HandingOn {
  /** The body is not sent before the function asks for it, so that it is still here when the request is handed on. */
  held = false;
  #expected = false;
  #framing = "";
  /** Bytes that may still be added. */
  #room = 0;
  #pools: ReadonlyMap<string, LivePool> | null = null;
  readonly #request: UpstreamRequest;

  constructor(request: UpstreamRequest) {
    this.#request = request;
  }

  /** Begins for another request. `pools`: those that it may be handed on to; null: it may not be. */
  start(pools: ReadonlyMap<string, LivePool> | null): void {
    this.#pools = pools;
    this.held = false;
  }

  /** Bytes that are wanted behind the request, for fields that are added. */
  get spare(): number {
    return this.#pools === null ? 0 : HANDING_ON_BYTES;
  }

  /** The request is composed. `more`: a body is to follow, which is held. */
  prepare({ framing, contentLength, expectContinue }: RequestInfo, more: boolean): void {
    if (this.#pools === null) return;
    this.#room = HANDING_ON_BYTES;
    removeFields(this.#request, [BODY]);
    if (!more) return;
    this.held = true;
    this.#expected = expectContinue;
    this.#framing = framing === CHUNKED ? "Transfer-Encoding: chunked" : `Content-Length: ${contentLength}`;
    removeFields(this.#request, ["content-length", "transfer-encoding", "expect"]);
    this.#insert(`${BODY}: ${HELD}`);
  }

  /** What an answer says of the request; null: it is the answer itself. */
  read(answer: Head, bytes: Uint8Array): Wish | null {
    if (this.#pools === null) return null;
    const word = this.held ? fieldValue(answer, bytes, BODY) : null;
    return word === null ? readHandOn(this.#pools, answer, bytes) : { kind: "body", word };
  }

  /** Makes of the request what the function wants, and says where it goes; null: that cannot be. */
  heed(wish: Wish, client: RequestClient): Onward | typeof AGAIN | null {
    if (wish.kind === "pool") return this.#handOn(wish, client);
    this.#letBodyFollow();
    this.#insert(`${BODY}: ${wish.word}`);
    return AGAIN;
  }

  /** Makes of the request what another pool gets as it came; null: that cannot be. */
  toward(pool: LivePool, client: RequestClient): Onward | null {
    return this.#handOn({ kind: "pool", pool, remove: [], set: [] }, client);
  }

  #handOn({ pool, remove, set }: HandOn, client: RequestClient): Onward | null {
    this.#pools = null;
    if (this.held) this.#letBodyFollow();
    removeFields(this.#request, [...remove, ...set.map(([name]) => name)]);
    const added = set.every(([name, value]) => this.#insert(`${name}: ${value}`));
    const request = this.#request;
    const { bytes } = request.lease!;
    const whole = added && parseRequestHead(head, bytes, 0, request.length, MAX_FIELDS) === DONE &&
      readRequest(info, head, bytes) === null;
    if (pool === undefined || !whole) return null;
    return onwardTo(pool, client, request, head, info, bytes);
  }

  #letBodyFollow(): void {
    this.held = false;
    removeFields(this.#request, [BODY]);
    this.#insert(this.#framing);
    if (this.#expected) this.#insert("Expect: 100-continue");
  }

  /** Puts a line behind the fields; false: there is no room for it. */
  #insert(text: string): boolean {
    this.#room -= text.length + "\r\n".length;
    if (this.#room < 0) return false;
    insertLine(this.#request, text);
    return true;
  }
}

function readHandOn(
  pools: ReadonlyMap<string, LivePool>,
  answer: Head,
  bytes: Uint8Array,
): HandOn | null {
  const name = fieldValue(answer, bytes, NEXT);
  if (name === null) return null;
  const set: [string, string][] = [];
  for (let i = 0; i < answer.count; i++) {
    const field = fieldName(answer, bytes, i);
    if (!field.startsWith(SET_PREFIX)) continue;
    set.push([field.slice(SET_PREFIX.length), latin1(bytes, answer.valueStart(i), answer.valueEnd(i))]);
  }
  const remove = fieldValue(answer, bytes, REMOVE)?.split(",").map((one) => one.trim().toLowerCase()) ?? [];
  return {
    kind: "pool",
    pool: pools.get(name),
    remove: remove.filter(mayChange),
    set: set.filter(([name]) => mayChange(name)),
  };
}

function mayChange(name: string): boolean {
  return name !== "" && !UNTOUCHABLE.has(name);
}
