/**
 * Writes batches of lines to a stream in the background, in order, never more than a bounded backlog.
 *
 * Used for the log, and by the control thread for the access log. A reader that is too slow (a full pipe) and a write that fails (a
 * full disk) cost lines, counted in `droppedLines`, and never memory or time of the traffic. The next batch tries
 * again, on a line of its own.
 */

/** The part of `Deno.stdout`, `Deno.stderr` and files that is needed. */
export interface ByteWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** How long a flush waits for a slow reader: it stands before the end of a process. */
const FLUSH_MS = 1000;

/** Bytes waiting for a slow reader; 8 MiB are some 25,000 lines. */
const BACKLOG_BYTES = 8 * 1024 * 1024;

const LINE_FEED = 10;

export class Sink {
  /** Lines given up since the start; one that was written in part is among them. */
  droppedLines = 0;
  readonly #writer: ByteWriter;
  readonly #backlog: number;
  #queue: { readonly bytes: Uint8Array; readonly done: () => void }[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  /** What was written last ends amid a line. */
  #torn = false;

  constructor(writer: ByteWriter, backlogBytes: number = BACKLOG_BYTES) {
    this.#writer = writer;
    this.#backlog = backlogBytes;
  }

  /** Queues a batch of whole lines, which then belongs to the sink. `done` is called when it is written, or dropped. */
  push(bytes: Uint8Array, done: () => void = () => {}): void {
    if (this.#queuedBytes + bytes.length > this.#backlog) {
      this.droppedLines += lineFeeds(bytes);
      done();
      return;
    }
    this.#queue.push({ bytes, done });
    this.#queuedBytes += bytes.length;
    this.#writing ??= this.#run();
  }

  /** True when nothing waits and nothing is being written. */
  get idle(): boolean {
    return this.#writing === null;
  }

  /** Resolves when everything queued is written or dropped, at the latest after `withinMs`. */
  async flush(withinMs: number = FLUSH_MS): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([this.#emptied(), late]);
    clearTimeout(timer);
  }

  async #emptied(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #run(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const rest = await this.#write(next.bytes);
      this.droppedLines += lineFeeds(rest);
      next.done();
      this.#queuedBytes -= next.bytes.length;
    }
    this.#writing = null;
  }

  /** Gives what could not be written. */
  async #write(bytes: Uint8Array): Promise<Uint8Array> {
    let rest = bytes;
    try {
      if (this.#torn && await this.#writer.write(Uint8Array.of(LINE_FEED)) === 0) return rest;
      this.#torn = false;
      while (rest.length > 0) {
        const written = await this.#writer.write(rest);
        if (written === 0) break;
        rest = rest.subarray(written);
        this.#torn = rest.length > 0 && bytes[bytes.length - rest.length - 1] !== LINE_FEED;
      }
    } catch {
      // A full disk, a closed pipe: there is nowhere left to say so but the count.
    }
    return rest;
  }
}

function lineFeeds(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === LINE_FEED) count++;
  return count;
}
