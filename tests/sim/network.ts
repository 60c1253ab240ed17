/**
 * What the streams of one simulation share: time, chance, buffers, and how bytes travel.
 */
import { BufferPool } from "../../mod/net/buffers.ts";
import { seededRandom } from "../../mod/base/random.ts";
import { Schedule } from "./schedule.ts";
import type { SimStream } from "./stream.ts";

/** How many of the bytes that are there one read gets. */
export type Split = "whole" | "random" | "bytes";

export interface NetworkOptions {
  /** Same seed, same run. */
  readonly seed?: number;
  readonly split?: Split;
  /** Longest delay of anything that travels, in milliseconds; each takes a random part of it. */
  readonly delayMs?: number;
  /** Queued bytes above which a stream says to wait. */
  readonly highWater?: number;
  /** Bytes that fit between a stream and its peer while the peer does not read: both kernels' buffers. */
  readonly window?: number;
  /** Whether streams send files by their numbers. */
  readonly sendsFiles?: boolean;
}

export class Network {
  readonly schedule = new Schedule();
  readonly buffers = new BufferPool();
  readonly random: () => number;
  readonly split: Split;
  readonly delayMs: number;
  readonly highWater: number;
  readonly window: number;
  readonly sendsFiles: boolean;
  /** Where files are read by their numbers; null: it fails. */
  readFile: (fd: number, at: number, most: number) => Uint8Array | null = () => null;
  /** Every stream there ever was. */
  readonly streams: SimStream[] = [];
  /** Broken promises of streams or sessions: they fail the test. */
  readonly faults: unknown[] = [];

  constructor(options: NetworkOptions = {}) {
    this.random = seededRandom(options.seed ?? 1);
    this.split = options.split ?? "whole";
    this.delayMs = options.delayMs ?? 0;
    this.highWater = options.highWater ?? 64 * 1024;
    this.window = options.window ?? 64 * 1024;
    this.sendsFiles = options.sendsFiles ?? false;
  }

  /** Runs `run` later, after a delay as the network has it. */
  later(run: () => void): void {
    const delay = this.delayMs === 0 ? 0 : Math.floor(this.random() * (this.delayMs + 1));
    this.schedule.in(delay, run);
  }

  /** How many of `available` bytes one read of at most `most` gets. */
  cut(available: number, most: number): number {
    const size = Math.min(available, most);
    if (this.split === "whole" || size <= 1) return size;
    if (this.split === "bytes") return 1;
    return 1 + Math.floor(this.random() * size);
  }

  /** Runs everything that is due without letting time pass for its own sake. */
  settle(): void {
    while (this.schedule.next !== Infinity) this.schedule.step();
  }
}
