/**
 * The link on its pipes: messages out in order without waiting, messages in until the end of the stream.
 *
 * A side that does not read is noticed by its missing heartbeat, not here; what piles up for it is bounded, and
 * what is beyond the bound is dropped and counted.
 */
import { type Decoded, encodeLine, LineDecoder } from "./link.ts";
import type { z } from "zod";

/** Messages waiting for a pipe. More than the parts of the largest configuration. */
const MAX_WAITING = 8192;
/** The same for messages that a later one replaces: more than a side that reads ever has. */
const MAX_LOSSY = 64;

export class LinkWriter<Message extends { readonly kind: string }> {
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #sending: Promise<void> | null = null;
  #broken = false;
  dropped = 0;

  constructor(stream: WritableStream<Uint8Array<ArrayBuffer>>) {
    this.#writer = stream.getWriter();
    // A broken pipe is told by the end of the other direction.
    this.#writer.closed.catch(() => {});
  }

  send(message: Message): void {
    if (this.#broken) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting.push(encodeLine(message));
    this.#sending ??= this.#drain();
  }

  /** Resolves when all that was sent is in the pipe, or lost. */
  async flushed(): Promise<void> {
    await this.#sending;
  }

  /** For messages that the next of their kind replaces: dropped while many wait. */
  sendLossy(message: Message): void {
    if (this.#waiting.length < MAX_LOSSY) this.send(message);
    else this.dropped++;
  }

  /** Closes the pipe, and gives up what waits for it; for good, and without an error if it is broken. */
  async close(): Promise<void> {
    this.#broken = true;
    this.#waiting = [];
    await this.#writer.close().catch(() => {});
  }

  async #drain(): Promise<void> {
    try {
      for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
        await this.#writer.write(line);
      }
    } catch {
      this.#broken = true;
      this.#waiting = [];
    }
    this.#sending = null;
  }
}

/** Reads messages until the stream ends or breaks. */
export async function readLink<Message>(
  stream: ReadableStream<Uint8Array>,
  schema: z.ZodType<Message>,
  onDecoded: (decoded: Decoded<Message>) => void,
): Promise<void> {
  const decoder = new LineDecoder(schema);
  try {
    for await (const chunk of stream) {
      for (const decoded of decoder.push(chunk)) onDecoded(decoded);
    }
  } catch (error) {
    // A reset pipe is an end like any other; an error of our own handler is not.
    if (!(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)) {
      throw error;
    }
  }
}
