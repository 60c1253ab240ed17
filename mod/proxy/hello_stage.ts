/**
 * Reads a TLS ClientHello to find the route of a connection that is passed on unread. The bytes are not touched:
 * the server gets all of them.
 *
 * What is not TLS, and what cannot be read, takes the route without conditions; without one the connection ends.
 */
import { ClientHelloReader } from "../net/client_hello.ts";
import type { Stream } from "../net/stream.ts";
import type { ListenerState, LiveRoute } from "./environment.ts";
import { HeldBytes } from "./held.ts";
import { type Session, Stage, type StageOwner } from "./stage.ts";

/** How a connection begins whose first bytes have been read. */
export interface Opening {
  readonly route: LiveRoute;
  /** Empty: none was told. */
  readonly serverName: string;
  /** For the server. */
  readonly bytes: HeldBytes;
  /** How long it took to come. */
  readonly headMs: number;
}

export class HelloStage extends Stage {
  protected readonly timeout = "headTimeout";
  readonly #reader = new ClientHelloReader();

  constructor(
    owner: StageOwner,
    listener: ListenerState,
    stream: Stream,
    readonly next: (opening: Opening) => Session,
  ) {
    super(owner, listener, stream);
  }

  onData(view: Uint8Array): void {
    const { held } = this;
    held.append(view);
    const read = this.#reader.read(held.bytes, held.start, held.end);
    if (read.kind === "more") return;
    const { sni, routes } = this.listener.live;
    if (read.kind === "hello") {
      this.serverName = read.hello.serverName;
      // Since a reload there may be no table: one route takes everything.
      this.#go(routes[sni === null ? 0 : sni.match(read.hello)], "noRoute");
    } else {
      this.#go(routes[sni?.fallback ?? 0], read.problem === "notTls" ? "notTls" : "badClientHello");
    }
  }

  #go(route: LiveRoute | undefined, otherwise: "noRoute" | "notTls" | "badClientHello"): void {
    if (route === undefined) return this.fail(otherwise);
    const { serverName, tookMs: headMs, held: bytes } = this;
    this.held = new HeldBytes(this.owner.environment.buffers);
    this.proceed(() => this.next({ route, serverName, bytes, headMs }));
  }
}
