/**
 * The last moments of a client's connection: our FIN is behind the last answer, and we read on for a while, as closing
 * at once would make a reset that takes the answer from the client (RFC 9112 section 9.6).
 *
 * Pure: it says until when to wait and when enough was read.
 */
import type { Stream } from "../net/stream.ts";

/** How long, and how much, is read behind the last answer. nginx: `lingering_timeout` 5 s. */
const LINGER_MS = 5000;
const LINGER_BYTES = 1024 * 1024;

export class Linger {
  readonly #stream: Stream;
  #discarded = 0;
  #queued = 0;
  #since = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Sends FIN behind what is queued; answers when to call `onDeadline`. */
  start(now: number): number {
    this.#stream.end();
    this.#stream.resume();
    return this.#wait(now);
  }

  /**
   * When to be called again; 0: close now. A client that takes long to read its answer may do so, as long as it goes
   * on within `idleMs`.
   */
  onDeadline(now: number, idleMs: number): number {
    const { queued } = this.#stream;
    if (queued === 0) return 0;
    if (queued !== this.#queued) return this.#wait(now);
    return now - this.#since < idleMs ? now + LINGER_MS : 0;
  }

  /** Takes note of bytes that are read for nothing; true: close now. */
  discard(size: number): boolean {
    this.#discarded += size;
    return this.#discarded > LINGER_BYTES;
  }

  #wait(now: number): number {
    this.#queued = this.#stream.queued;
    this.#since = now;
    return now + LINGER_MS;
  }
}
