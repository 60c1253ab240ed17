/**
 * Writes batches of lines to a stream in the background, in order, never more than a bounded backlog.
 *
 * Used by the control thread for the access log. A reader that is too slow (a full pipe) costs lines, counted in
 * `droppedBatches` and `droppedBytes`, and never memory or time of the traffic. A write that fails ends the sink:
 * what comes later is dropped as well.
 */

/** The part of `Deno.stdout`, `Deno.stderr` and files that is needed. */
export interface ByteWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Bytes waiting for a slow reader; 8 MiB are some 25,000 lines. */
const BACKLOG_BYTES = 8 * 1024 * 1024;

export class Sink {
  droppedBatches = 0;
  droppedBytes = 0;
  readonly #writer: ByteWriter;
  readonly #backlog: number;
  #queue: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #error: unknown = null;

  constructor(writer: ByteWriter, backlogBytes: number = BACKLOG_BYTES) {
    this.#writer = writer;
    this.#backlog = backlogBytes;
  }

  /** Queues a batch, which then belongs to the sink. `done` is called when it is written, or dropped. */
  push(bytes: Uint8Array, done: () => void = () => {}): void {
    if (this.#error !== null || this.#queuedBytes + bytes.length > this.#backlog) {
      this.#drop(bytes, done);
      return;
    }
    this.#queue.push({ bytes, done });
    this.#queuedBytes += bytes.length;
    this.#writing ??= this.#run();
  }

  /** Resolves when everything queued so far is written or dropped. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Why writing ended, or null. */
  get error(): unknown {
    return this.#error;
  }

  async #run(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        await this.#writeAll(next.bytes);
        next.done();
      } catch (error) {
        this.#error = error;
        this.#drop(next.bytes, next.done);
      }
      this.#queuedBytes -= next.bytes.length;
      if (this.#error !== null) {
        for (const { bytes, done } of this.#queue.splice(0)) this.#drop(bytes, done);
      }
    }
    this.#queuedBytes = 0;
    this.#writing = null;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const written = await this.#writer.write(rest);
      if (written === 0) throw new Error("Cannot write the log as the stream takes no more bytes");
      rest = rest.subarray(written);
    }
  }

  #drop(bytes: Uint8Array, done: () => void): void {
    this.droppedBatches++;
    this.droppedBytes += bytes.length;
    done();
  }
}
