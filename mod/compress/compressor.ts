/**
 * The seam to whatever compresses, and how many of those a worker has at a time. Pure.
 *
 * A compressor works within the call, on pieces as large as a read: some hundred microseconds for 64 KB. Its memory is
 * bounded by its encoding and level, and that of all by `MEMORY_BYTES`: where there is none left, answers leave as they
 * are. What a server has sent before it pauses is flushed a few milliseconds later, for all answers by one timer.
 */
import type { CompressSnapshot } from "../config/snapshot.ts";

export type Encoding = CompressSnapshot["encodings"][number];

/** May keep input back for the sake of the whole. */
export const GO = 0;
/** Everything that was given comes out. */
export const FLUSH = 1;
/** The same, and the end behind it. */
export const FINISH = 2;
export type Mode = 0 | 1 | 2;

export interface Compressor {
  /** Of the last call: input bytes that it did not come to, as `out` was full. */
  readonly rest: number;
  /**
   * Compresses `bytes` from `start` to `end` into `out`; how many bytes stand there. A full `out`: call
   * again with the rest; one of six bytes and less may be asked for ever. With FINISH there is nothing to compress any more, and nothing but FINISH comes behind it.
   */
  write(bytes: Uint8Array, start: number, end: number, mode: Mode, out: Uint8Array): number;
  /** Frees its memory; it is not used any more. */
  close(): void;
}

/** Whoever has given a compressor something that has not come out. */
export interface Flushable {
  onPause(): void;
}

export interface CompressorWorld {
  /** Which encodings there are here. */
  readonly encodings: readonly Encoding[];
  make(encoding: Encoding, level: number): Compressor;
  /** Calls once, some milliseconds later. */
  afterPause(task: () => void): void;
  onBug(error: unknown): void;
}

/** Of one worker. HAProxy's `maxzlibmem` has no default limit, nginx has one a connection. */
export const MEMORY_BYTES = 128 * 1024 * 1024;
/** What one takes up to a level, measured with a window of 256 KB, by encoding and level. */
const COST_BYTES: Readonly<Record<Encoding, readonly (readonly [level: number, bytes: number])[]>> = {
  gzip: [[9, 360 * 1024]],
  br: [[4, 2 * 1024 * 1024], [6, 3.5 * 1024 * 1024]],
  zstd: [[3, 1.3 * 1024 * 1024], [6, 3.1 * 1024 * 1024]],
};
/** What compressed bytes are put into before they go on. */
const OUT_BYTES = 64 * 1024;

export class Compressors {
  readonly out = new Uint8Array(OUT_BYTES);
  readonly #world: CompressorWorld;
  readonly #costs = new Map<Compressor, number>();
  #used = 0;
  #waiting = new Set<Flushable>();
  #timed = false;

  constructor(world: CompressorWorld) {
    this.#world = world;
  }

  /** Which encodings there are here. */
  get encodings(): readonly Encoding[] {
    return this.#world.encodings;
  }

  /** One for an answer, until `close`; null: there is no memory for it. */
  open(encoding: Encoding, level: number): Compressor | null {
    const [, cost] = COST_BYTES[encoding].find(([most]) => level <= most)!;
    if (this.#used + cost > MEMORY_BYTES) return null;
    const compressor = this.#world.make(encoding, level);
    this.#costs.set(compressor, cost);
    this.#used += cost;
    return compressor;
  }

  /** Gives one back. */
  close(compressor: Compressor): void {
    compressor.close();
    this.#used -= this.#costs.get(compressor)!;
    this.#costs.delete(compressor);
  }

  /** Calls `one.onPause` some milliseconds after the first call since it was called last. */
  awaitPause(one: Flushable): void {
    this.#waiting.add(one);
    if (this.#timed) return;
    this.#timed = true;
    this.#world.afterPause(this.#flush);
  }

  /** There is nothing to flush any more. */
  forget(one: Flushable): void {
    this.#waiting.delete(one);
  }

  #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    this.#timed = false;
    for (const one of waiting) {
      try {
        one.onPause();
      } catch (error) {
        this.#world.onBug(error);
      }
    }
  };
}
