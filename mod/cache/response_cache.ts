/** The cache of one worker: what is stored, and what is being fetched. */
import type { CacheMemory } from "../base/cache_memory.ts";
import { Fetches } from "./fetches.ts";
import { CacheStore } from "./store.ts";

export class ResponseCache {
  readonly fetches = new Fetches();
  /** Empty, and without room, until it is given some. */
  readonly store: CacheStore;
  /** Answers that are being renewed while clients are given the old ones. */
  refreshing = 0;

  constructor(memory: CacheMemory) {
    this.store = new CacheStore(memory, 0, 0);
  }
}
