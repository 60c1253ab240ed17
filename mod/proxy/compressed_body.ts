/**
 * The body of an answer on its way through a compressor: what a server has sent goes in as it comes, what comes out
 * leaves in chunks, or as it is for HTTP/1.0.
 *
 * Nothing is kept here: what has gone in is in the compressor, and is flushed when no more comes for a few
 * milliseconds, so that a stream of events gets through. It must not know heads or servers.
 */
import {
  type Compressor,
  type Compressors,
  type Encoding,
  FINISH,
  FLUSH,
  type Flushable,
  GO,
  type Mode,
} from "../compress/compressor.ts";
import type { Stream } from "../net/stream.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { Record } from "./record.ts";

const NOTHING = new Uint8Array(0);

export class CompressedBody implements Flushable {
  readonly #compressors: Compressors;
  readonly #client: Stream;
  readonly #record: Record;
  readonly #encoder: ChunkEncoder;
  #compressor: Compressor | null = null;
  #chunked = false;
  #flowing = true;

  constructor(compressors: Compressors, client: Stream, record: Record, encoder: ChunkEncoder) {
    this.#compressors = compressors;
    this.#client = client;
    this.#record = record;
    this.#encoder = encoder;
  }

  /** Begins with an answer; false: there is no memory for a compressor. */
  start(encoding: Encoding, level: number, chunked: boolean): boolean {
    this.#compressor = this.#compressors.open(encoding, level);
    this.#chunked = chunked;
    return this.#compressor !== null;
  }

  /** Takes bytes of the body. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.#record.compressedFrom += end - start;
    this.#run(bytes, start, end, GO);
  }

  /** The body is complete; `trailer`: what stands behind it. */
  end(trailer: Uint8Array): void {
    this.#run(NOTHING, 0, 0, FINISH);
    if (this.#chunked) this.#encoder.end(this.#client, trailer);
    this.close();
  }

  /** Sends what has come out; false: the client wants us to wait. */
  send(): boolean {
    if (this.#chunked && !this.#encoder.flush(this.#client)) this.#flowing = false;
    const flowing = this.#flowing;
    this.#flowing = true;
    if (this.#compressor !== null) this.#compressors.awaitPause(this);
    return flowing;
  }

  /** The server sends no more for the moment. */
  onPause(): void {
    if (this.#compressor === null) return;
    this.#run(NOTHING, 0, 0, FLUSH);
    if (this.#chunked) this.#encoder.flush(this.#client);
  }

  /** Lets go of the compressor; harmless when that has been done. */
  close(): void {
    if (this.#compressor === null) return;
    this.#compressors.forget(this);
    this.#compressors.close(this.#compressor);
    this.#compressor = null;
  }

  #run(bytes: Uint8Array, start: number, end: number, mode: Mode): void {
    const compressor = this.#compressor!;
    const { out } = this.#compressors;
    try {
      for (let size = out.length; size === out.length;) {
        size = compressor.write(bytes, start, end, mode, out);
        start = end - compressor.rest;
        if (size > 0) this.#emit(out, size);
      }
    } catch (error) {
      // The encoder serves others too, and must be empty for them.
      if (this.#chunked) this.#encoder.flush(this.#client);
      throw error;
    }
  }

  #emit(out: Uint8Array, size: number): void {
    this.#record.compressedTo += size;
    this.#record.bytesOut += size;
    if (this.#chunked) this.#encoder.add(this.#client, out, 0, size, 0);
    else if (!this.#client.write(out.subarray(0, size))) this.#flowing = false;
  }
}
