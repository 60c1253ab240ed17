/**
 * Asks the guards of a route about the requests of one client connection, each in its turn. Made with the first
 * request that has guards. It must not know which guards there are.
 *
 * A guard may have the request wait. Its head is then kept, as the receive buffer is free at once, and is read again
 * when the wait is over.
 */
import { type IpBytes, parseIp } from "../base/address.ts";
import type { Answered, Denial, Guard, GuardRequest, Hold, Verdict } from "../guard/guard.ts";
import type { Identity } from "../guard/identity.ts";
import { Head, MAX_FIELDS, parseRequestHead } from "../http1/head.ts";
import { readRequest, RequestInfo } from "../http1/request.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { HeadFacts } from "./facts.ts";

/** The connection that requests come by. */
export interface GuardedClient {
  readonly environment: Pick<ProxyEnvironment, "facts" | "now" | "wallClock">;
  /** Whose the present request is. */
  readonly address: string;
  /** Who the present request has shown to be of; null: nobody has asked. */
  identity: Identity | null;
}

/** A question that is not answered by then is given up. */
const ANSWER_MS = 30_000;

/** Whose requests they are. */
export interface GuardedOwner {
  readonly client: GuardedClient;
  /** Sets the deadline that `onDeadline` is called at. */
  arm(at: number): void;
  /** The wait of a request is over; what came of it is in `outcome`. Its head is good only during the call. */
  onGuarded(head: Head, info: RequestInfo, bytes: Uint8Array): void;
}

const NO_BYTES = new Uint8Array(0);
const keptHead = new Head();
const keptInfo = new RequestInfo();

export class Guarding implements GuardRequest {
  /** What the request gets instead of what it asked for; null: it goes on. */
  outcome: Denial | Answered | null = null;
  readonly #owner: GuardedOwner;
  #facts!: HeadFacts;
  #address = "";
  #ip: IpBytes | null = null;
  #guards: readonly Guard[] = [];
  /** The request has to wait. */
  #waits = false;
  /** Number of the guard that is to be asked next. */
  #next = 0;
  /** What the request holds until it is over. */
  readonly #places: Hold["place"][] = [];
  /** What is said when a question is not answered in time; null: there is none. */
  #otherwise: Denial | null = null;
  /** Questions so far: answers to earlier ones are for nobody. */
  #questions = 0;
  /** The head of a request that waits. */
  #kept = NO_BYTES;

  constructor(owner: GuardedOwner) {
    this.#owner = owner;
  }

  get facts(): HeadFacts {
    return this.#facts;
  }

  get now(): number {
    return this.#owner.client.environment.wallClock();
  }

  get address(): string {
    return this.#address;
  }

  get ip(): IpBytes | null {
    return this.#ip;
  }

  /** Asks about a request; false: it has to wait, and `onGuarded` says when that is over. */
  ask(guards: readonly Guard[], head: Head, info: RequestInfo, bytes: Uint8Array): boolean {
    this.outcome = null;
    this.#guards = guards;
    this.#next = 0;
    this.#look(head, info, bytes);
    const decided = this.#decides();
    if (!decided) this.#kept = bytes.slice(head.start, head.end);
    return decided;
  }

  /** Reads the head of the request that waits again, which is good only during the call. */
  recall(use: (head: Head, info: RequestInfo, bytes: Uint8Array) => void): void {
    const bytes = this.#kept;
    parseRequestHead(keptHead, bytes, 0, bytes.length, MAX_FIELDS);
    readRequest(keptInfo, keptHead, bytes);
    use(keptHead, keptInfo, bytes);
  }

  /** The request has waited for long enough. */
  onDeadline(): void {
    this.#goOn(this.#otherwise);
  }

  /** The exchange is over. */
  drop(): void {
    this.#kept = NO_BYTES;
    this.#otherwise = null;
    this.#questions++;
    this.#owner.client.identity = null;
    for (const place of this.#places) place.release();
    this.#places.length = 0;
  }

  #look(head: Head, info: RequestInfo, bytes: Uint8Array): void {
    const { environment, address } = this.#owner.client;
    this.#facts = environment.facts.set(head, info, bytes, address);
    if (address === this.#address) return;
    this.#address = address;
    this.#ip = parseIp(address);
  }

  /** Goes on with a request that waited for a word, or for time to pass. */
  #goOn(verdict: Verdict): void {
    this.#otherwise = null;
    this.#waits = false;
    this.recall((head, info, bytes) => {
      this.#look(head, info, bytes);
      const goesOn = verdict === null || this.#takes(verdict);
      const decided = goesOn ? this.#decides() : !this.#waits;
      if (decided) this.#owner.onGuarded(head, info, bytes);
    });
  }

  /** Asks those that are left; false: one of them lets the request wait. */
  #decides(): boolean {
    this.#waits = false;
    while (this.#next < this.#guards.length) {
      const verdict = this.#guards[this.#next++]!.check(this);
      if (verdict !== null && !this.#takes(verdict)) break;
    }
    return !this.#waits;
  }

  /** True: the next guard is to be asked. Else the request is decided on, or `#waits`. */
  #takes(verdict: Exclude<Verdict, null>): boolean {
    const { client } = this.#owner;
    switch (verdict.kind) {
      case "hold":
        this.#places.push(verdict.place);
        return true;
      case "identity":
        client.identity = verdict.identity;
        return true;
      case "delay":
        if (verdict.place !== undefined) this.#places.push(verdict.place);
        return this.#wait(verdict.ms, null);
      case "ask": {
        const question = ++this.#questions;
        const asked = verdict.ask((answer) => {
          if (question === this.#questions) this.#goOn(answer);
        });
        if (asked) return this.#wait(ANSWER_MS, verdict.otherwise);
        this.outcome = verdict.otherwise;
        return false;
      }
      default:
        this.outcome = verdict;
        return false;
    }
  }

  #wait(ms: number, otherwise: Denial | null): false {
    this.#waits = true;
    this.#otherwise = otherwise;
    this.#owner.arm(this.#owner.client.environment.now() + ms);
    return false;
  }
}
