/** Sums over the time that has just passed, in parts of which the oldest is dropped. Pure. */

/** Resolution of the window. */
const PARTS = 10;

export class SlidingSums<Name extends string> {
  readonly #names: readonly Name[];
  readonly #parts: Record<Name, number>[] = [];
  #newest = 0;

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.clear();
  }

  /** Adds what has come since the last call; `windowMs` is how far back the sums go, `now` milliseconds. */
  add(values: Readonly<Record<Name, number>>, windowMs: number, now: number): void {
    const part = Math.floor(now * PARTS / windowMs);
    const passed = Math.min(PARTS, Math.max(0, part - this.#newest));
    for (let back = 0; back < passed; back++) this.#parts[(part - back) % PARTS] = this.#nothing();
    this.#newest = part;
    const sums = this.#parts[part % PARTS]!;
    for (const name of this.#names) sums[name] += values[name];
  }

  sum(name: Name): number {
    let total = 0;
    for (const part of this.#parts) total += part[name];
    return total;
  }

  clear(): void {
    for (let at = 0; at < PARTS; at++) this.#parts[at] = this.#nothing();
  }

  #nothing(): Record<Name, number> {
    return Object.fromEntries(this.#names.map((name) => [name, 0])) as Record<Name, number>;
  }
}
