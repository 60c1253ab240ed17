/**
 * What the variables of templates are read from, for the request under way on one client connection. Strings are
 * made when they are asked for; good only while the request's head is.
 */
import type { Captures } from "../route/captures.ts";
import type { RequestSource, TlsSource } from "../route/variables.ts";
import type { Identity } from "../guard/identity.ts";
import { plainAddress } from "../http/forwarded.ts";
import { latin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState, LiveRoute, ProxyEnvironment } from "./environment.ts";
import type { HeadFacts } from "./facts.ts";

/** Random text of a request id has 36 characters; one that a proxy gives is the head's. */
const ID_BYTES = 64;

/** The connection that requests come by. */
export interface ValuesClient {
  readonly environment: ProxyEnvironment;
  readonly address: string;
  readonly listener: ListenerState;
  readonly stream: Stream;
  readonly identity: Identity | null;
}

export class RequestValues implements RequestSource {
  readonly #client: ValuesClient;
  #info!: RequestInfo;
  #bytes!: Uint8Array;
  #facts!: HeadFacts;
  #route: LiveRoute | null = null;
  #trusted = false;
  #captures: Captures | null = null;
  #requestId: string | null = null;

  constructor(client: ValuesClient) {
    this.#client = client;
  }

  /** `route`: null: none matches; `trusted`: the client's word on the request's id is taken. */
  set(head: Head, info: RequestInfo, bytes: Uint8Array, route: LiveRoute | null, trusted: boolean): this {
    this.#facts = this.#client.environment.facts.set(head, info, bytes, this.#client.address);
    this.#info = info;
    this.#bytes = bytes;
    this.#route = route;
    this.#trusted = trusted;
    this.#captures = this.#requestId = null;
    return this;
  }

  get facts(): HeadFacts {
    return this.#facts;
  }

  get authority(): string {
    return latin1(this.#bytes, this.#info.hostStart, this.#info.hostEnd);
  }

  get clientAddress(): string {
    return this.#client.address;
  }

  get clientPort(): number {
    return this.#client.stream.remotePort;
  }

  get listener(): string {
    return this.#client.listener.live.snapshot.name;
  }

  get listenerAddress(): string {
    return plainAddress(this.#client.stream.localHost);
  }

  get listenerPort(): number {
    return this.#client.stream.localPort;
  }

  get tls(): TlsSource | null {
    return this.#client.stream.tls ?? null;
  }

  get user(): string {
    return this.#client.identity?.user ?? "";
  }

  claim(name: string): string {
    return this.#client.identity?.claim(name) ?? "";
  }

  get requestId(): string {
    return this.#requestId ??= this.#givenId() ?? this.#newId();
  }

  /** The id if it has been read: then it is this request's; null: nobody has asked. */
  get takenId(): string | null {
    return this.#requestId;
  }

  capture(name: string): string {
    if (this.#route === null) return "";
    this.#captures ??= this.#route.captures.take(this.#facts);
    return this.#captures.get(name) ?? "";
  }

  #givenId(): string | null {
    return this.#trusted ? this.#facts.header("x-request-id") || null : null;
  }

  #newId(): string {
    const bytes = new Uint8Array(ID_BYTES);
    return latin1(bytes, 0, this.#client.environment.writeRequestId(bytes, 0));
  }
}
