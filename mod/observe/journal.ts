/**
 * What has happened lately, newest first and bounded: what is oldest is forgotten. Pure; it must not know what it was.
 */

const KEPT = 100;

export class Journal<Entry> {
  #newestFirst: readonly Entry[] = [];

  get list(): readonly Entry[] {
    return this.#newestFirst;
  }

  add(entry: Entry): void {
    this.#newestFirst = [entry, ...this.#newestFirst.slice(0, KEPT - 1)];
  }
}
