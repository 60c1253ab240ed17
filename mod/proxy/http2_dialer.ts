/**
 * Connects to servers that speak HTTP/2: what is dialled is a stream of a connection that is there, or of a new one when
 * all are full. A connection is asked for streams once the server has said how many it allows.
 */
import type { Dial, Dialer, DialHandler, DialTerms, Stream } from "../net/stream.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { Http2Upstream, type UpstreamOwner } from "./http2_upstream.ts";

export class Http2Dialer implements Dialer {
  readonly #environment: ProxyEnvironment;
  readonly #below: Dialer;
  readonly #scheme: "http" | "https";
  readonly #connectMs: number;
  readonly #targets = new Map<string, Target>();

  /** `connectMs`: how long a server may take to say its settings, once there is a connection. */
  constructor(environment: ProxyEnvironment, below: Dialer, scheme: "http" | "https", connectMs: number) {
    this.#environment = environment;
    this.#below = below;
    this.#scheme = scheme;
    this.#connectMs = connectMs;
  }

  dial(host: string, port: number, handler: DialHandler, { name = "" }: DialTerms = {}): Dial {
    const key = `${host} ${port} ${name}`;
    let target = this.#targets.get(key);
    if (target === undefined) {
      const connect = (opened: DialHandler) => this.#below.dial(host, port, opened, { name });
      const open = (stream: Stream, owner: UpstreamOwner) =>
        new Http2Upstream(this.#environment, stream, owner, this.#scheme, this.#connectMs);
      target = new Target(this.#environment, connect, open);
      this.#targets.set(key, target);
    }
    return target.dial(handler);
  }
}

/** One server, and those who wait for a stream to it. */
class Target implements UpstreamOwner, DialHandler {
  readonly #environment: ProxyEnvironment;
  readonly #connect: (handler: DialHandler) => Dial;
  readonly #speak: (stream: Stream, owner: UpstreamOwner) => Http2Upstream;
  readonly #open = new Set<Http2Upstream>();
  readonly #waiting = new Set<DialHandler>();
  /** The connection that is being made, of which there is one at a time. */
  #dial: Dial | null = null;
  #fresh: Http2Upstream | null = null;

  constructor(
    environment: ProxyEnvironment,
    connect: (handler: DialHandler) => Dial,
    speak: (stream: Stream, owner: UpstreamOwner) => Http2Upstream,
  ) {
    this.#environment = environment;
    this.#connect = connect;
    this.#speak = speak;
  }

  dial(handler: DialHandler): Dial {
    this.#waiting.add(handler);
    this.#environment.soon(this.#serve);
    return {
      cancel: () => {
        this.#waiting.delete(handler);
        if (this.#waiting.size === 0) this.#giveUp();
      },
    };
  }

  onOpen(stream: Stream): void {
    this.#dial = null;
    this.#fresh = this.#speak(stream, this);
  }

  onFailed(error: Error): void {
    this.#dial = null;
    this.#fail(error);
  }

  onReady(upstream: Http2Upstream): void {
    this.#fresh = null;
    this.#open.add(upstream);
    this.#environment.soon(this.#serve);
  }

  onRoom(): void {
    if (this.#waiting.size > 0) this.#environment.soon(this.#serve);
  }

  onLeaving(upstream: Http2Upstream, reason: Error): void {
    this.#open.delete(upstream);
    const fresh = this.#fresh === upstream;
    if (fresh) this.#fresh = null;
    // Who is told to leave before a single stream was opened would be told so again, as fast as it connects.
    if (fresh || !upstream.used && this.#dial === null && this.#fresh === null) this.#fail(reason);
  }

  /** Gives those who wait what there is, and connects for the rest. */
  #serve = (): void => {
    this.#give();
    if (this.#waiting.size === 0 || this.#dial !== null || this.#fresh !== null) return;
    // A server that allows no streams would allow none on another connection either.
    for (const upstream of this.#open) if (upstream.allowsNone) return;
    this.#dial = this.#connect(this);
  };

  #give(): void {
    for (const upstream of this.#open) {
      while (this.#waiting.size > 0 && upstream.hasRoom) {
        const handler: DialHandler = this.#waiting.values().next().value!;
        this.#waiting.delete(handler);
        handler.onOpen(upstream.open());
      }
    }
  }

  /** Nobody waits for the connection that is being made. */
  #giveUp(): void {
    this.#dial?.cancel();
    this.#dial = null;
    this.#fresh?.close();
  }

  /** There will be no other connection: those who wait get what there is, and fail where there is nothing. */
  #fail(error: Error): void {
    this.#give();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const handler of waiting) handler.onFailed(error);
  }
}
