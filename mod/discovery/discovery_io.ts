/**
 * Discovery: keeps the servers behind names up to date. One timer and the lookups under way around the book.
 *
 * The book decides when and what to keep; how a name is looked up is a parameter. Changes that come close
 * together are told once. It must not know pools, snapshots or the configuration's syntax.
 */
import { reasonOf } from "../base/reason.ts";
import type { Lookup, Member, Name } from "./answer.ts";
import { type DueLookup, NameBook, type NameStatus } from "./name_book.ts";

/** Names whose lookups end within so short a time are told in one call, hence cost one snapshot. */
export const GATHER_MS = 50;
const MIN_WAIT_MS = 5;

export interface DiscoveryEnv {
  lookUp(name: Name, signal: AbortSignal): Promise<Lookup>;
  /** The servers of these names are others than before; `members` has them. */
  onChange(names: readonly Name[]): void;
  /** Trouble with a name began (`reason` says what), or ended (`reason` is empty). */
  onTrouble(name: Name, reason: string): void;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once, after `ms`; the function it returns takes that back. */
  after(ms: number, call: () => void): () => void;
}

export class Discovery {
  #env: DiscoveryEnv;
  #book = new NameBook();
  #running = new Map<DueLookup, { abort: AbortController; done: Promise<void> }>();
  #changed: Name[] = [];
  #cancelWake: (() => void) | null = null;
  #cancelGather: (() => void) | null = null;
  #waiters = new Set<() => void>();
  #closed = false;

  /** Starts nothing; `update` does. */
  constructor(env: DiscoveryEnv) {
    this.#env = env;
  }

  /** Takes the names that matter now. Known names keep their servers, new ones are looked up at once. */
  update(names: readonly Name[]): void {
    if (this.#closed) return;
    this.#book.update(names, this.#env.now());
    for (const [lookup, { abort }] of this.#running) if (!this.#book.wanted(lookup)) abort.abort();
    this.#wake();
  }

  /** The servers of a name by its last good answer; none before that, or when the name was not given to `update`. */
  members(name: Name): readonly Member[] {
    return this.#book.members(name);
  }

  /** Every name, in the order of `update`. */
  status(): NameStatus[] {
    return this.#book.status(this.#env.now());
  }

  /** Resolves when every name has been looked up once, well or badly, at the latest after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#closed || this.#book.settled) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        cancel();
        this.#waiters.delete(finish);
        resolve();
      };
      const cancel = this.#env.after(timeoutMs, finish);
      this.#waiters.add(finish);
    });
  }

  /** Stops everything; resolves when the lookups under way have closed what they opened. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelWake?.();
    this.#cancelGather?.();
    for (const finish of this.#waiters) finish();
    for (const { abort } of this.#running.values()) abort.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #wake(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    if (this.#closed) return;
    for (const lookup of this.#book.due(this.#env.now())) this.#start(lookup);
    if (this.#book.settled) { for (const finish of this.#waiters) finish(); }
    const deadline = this.#book.deadline();
    if (deadline === Infinity) return;
    const afterMs = Math.max(MIN_WAIT_MS, deadline - this.#env.now());
    this.#cancelWake = this.#env.after(afterMs, () => this.#wake());
  }

  #start(lookup: DueLookup): void {
    const abort = new AbortController();
    const done = this.#env.lookUp(lookup.name, abort.signal)
      .catch((error: unknown) => failed(lookup.name, error))
      .then((result) => {
        this.#running.delete(lookup);
        if (this.#closed) return;
        const before = this.#book.trouble(lookup.name);
        if (this.#book.finished(lookup, result, this.#env.now())) this.#tell(lookup.name);
        const trouble = this.#book.trouble(lookup.name);
        if ((trouble === "") !== (before === "")) this.#env.onTrouble(lookup.name, trouble);
        this.#wake();
      });
    this.#running.set(lookup, { abort, done });
  }

  #tell(name: Name): void {
    this.#changed.push(name);
    this.#cancelGather ??= this.#env.after(GATHER_MS, () => {
      this.#cancelGather = null;
      this.#env.onChange(this.#changed.splice(0));
    });
  }
}

/** A lookup should not throw; if one does, the last good answer is kept as after any failure. */
function failed(name: Name, error: unknown): Lookup {
  const reason = `the lookup itself failed: ${reasonOf(error)}`;
  const part = { kind: "failed", reason } as const;
  return name.type === "SRV"
    ? { services: part, addresses: new Map() }
    : { services: null, addresses: new Map([["", part]]) };
}
