/**
 * Connects to servers over TLS: another dialer's connection, and a handshake on it. Pure; it must not know what either
 * is made of.
 */
import {
  type Dial,
  type Dialer,
  type DialHandler,
  type DialTerms,
  type Stream,
  TlsFailure,
} from "./stream.ts";
import type { TlsConnector } from "./tls.ts";
import { TlsStream } from "./tls_stream.ts";

export class TlsDialer implements Dialer {
  constructor(
    readonly below: Dialer,
    readonly connector: TlsConnector,
    /** Told what a handler throws. */
    readonly onBug: (error: unknown) => void,
  ) {}

  dial(host: string, port: number, handler: DialHandler, terms: DialTerms = {}): Dial {
    const attempt = new Attempt(this, host, port, handler, terms.name ?? "");
    attempt.start(terms);
    return attempt;
  }
}

/** One attempt, until it is a stream of text or has failed. */
class Attempt implements Dial, DialHandler {
  #dial: Dial | null = null;
  #below: Stream | null = null;
  #over = false;

  constructor(
    readonly dialer: TlsDialer,
    readonly host: string,
    readonly port: number,
    readonly handler: DialHandler,
    readonly name: string,
  ) {}

  start(terms: DialTerms): void {
    this.#dial = this.dialer.below.dial(this.host, this.port, this, terms);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#dial?.cancel();
    this.#below?.close();
  }

  onOpen(below: Stream): void {
    this.#dial = null;
    this.#below = below;
    const { connector, onBug } = this.dialer;
    const stream = new TlsStream(
      below,
      "server",
      (events) => connector.open(this.host, this.port, this.name, events),
      {
        onSecure: () => {
          if (this.#over) return;
          this.#over = true;
          this.handler.onOpen(stream);
        },
        onRefused: (reason, untrusted) => {
          below.close();
          this.#fail(reason, untrusted);
        },
        onGone() {},
        onBug,
      },
    );
    stream.start();
  }

  onFailed(error: Error): void {
    this.#over = true;
    this.handler.onFailed(error);
  }

  #fail(reason: string, untrusted: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.handler.onFailed(new TlsFailure(reason, untrusted));
  }
}
