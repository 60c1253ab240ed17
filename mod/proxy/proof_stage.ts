/**
 * Tells an authority that looks at a `tls-alpn-01` challenge (RFC 8737) from every other client, by the ClientHello.
 * Only while a challenge is under way: at other times connections have no such stage.
 */
import { ClientHelloReader } from "../net/client_hello.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { ListenerState } from "./environment.ts";
import { HeldBytes } from "./held.ts";
import { type Session, Stage, type StageOwner } from "./stage.ts";

const PROTOCOL = "acme-tls/1";
/** How long an authority may take to close once it has seen the certificate. */
const CLOSE_MS = 1000;

export class ProofStage extends Stage {
  protected readonly timeout = "tlsTimeout";
  readonly #reader = new ClientHelloReader();

  /** `next` makes the handshake, with the proof or with the listener's own certificates. */
  constructor(
    owner: StageOwner,
    listener: ListenerState,
    stream: Stream,
    readonly next: (proof: boolean) => Session,
  ) {
    super(owner, listener, stream);
  }

  onData(view: Uint8Array): void {
    this.held.append(view);
    const { bytes, start, end } = this.held;
    const read = this.#reader.read(bytes, start, end);
    if (read.kind === "more") return;
    const { held, stream } = this;
    this.held = new HeldBytes(this.owner.environment.buffers);
    this.proceed(() => this.next(read.kind === "hello" && read.hello.protocols.includes(PROTOCOL)));
    stream.handler.onData(held.bytes.subarray(held.start, held.end));
    held.drop();
  }
}

/** What is left of the connection then: nothing is spoken in this protocol (RFC 8737 section 3). */
export class Proved implements Session, StreamHandler {
  readonly #timer = new Timer(this);

  constructor(readonly owner: StageOwner, readonly listener: ListenerState, readonly stream: Stream) {
    stream.handler = this;
  }

  start(): void {
    const { wheel, now } = this.owner.environment;
    wheel.set(this.#timer, now() + CLOSE_MS);
    this.stream.end();
    this.stream.resume();
  }

  drain(): void {}

  close(): void {
    this.stream.close();
  }

  onDeadline(): void {
    this.stream.close();
  }

  onData(): void {}

  onEnd(): void {
    this.stream.close();
  }

  onDrain(): void {}

  onClosed(): void {
    this.owner.environment.wheel.drop(this.#timer);
    this.owner.onGone(this);
  }
}
