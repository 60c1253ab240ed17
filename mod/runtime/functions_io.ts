/**
 * The functions of a node as the keeper has them: which processes there are, and where the balancer finds them.
 *
 * Those of a configuration on offer run beside those of the one in force, so that nothing is lost either way; what is
 * the same in both is left alone.
 */
import { createHash } from "node:crypto";
import type { BuiltFunction } from "../functions/bundled.ts";
import type { FunctionStatus } from "../observe/keeper_status.ts";
import type { Log } from "../observe/log.ts";
import { FileWatch } from "./file_watch_io.ts";
import type { FunctionPlace } from "./function_places.ts";
import { FunctionProcess, type FunctionProcessOptions } from "./function_process_io.ts";

export interface FunctionsOptions {
  readonly start: FunctionProcessOptions["start"];
  /** Some process has another place. */
  readonly onChange: () => void;
  /** A file that one in force is made of is another. */
  readonly onFiles: () => void;
  readonly log: Log;
}

interface Group {
  readonly built: BuiltFunction;
  readonly processes: readonly FunctionProcess[];
}

interface Offered {
  readonly keys: readonly string[];
  loaded: boolean;
}

/** Longest wait for functions of a node that starts: what else it does is not to wait for them. */
export const FIRST_WAIT_MS = 3000;

export class Functions {
  readonly #options: FunctionsOptions;
  readonly #groups = new Map<string, Group>();
  #current: readonly string[] = [];
  /** Of a configuration that is not in force yet; `loaded` once all of them serve. Null: there is none. */
  #offered: Offered | null = null;
  readonly #watch: FileWatch;
  #ends = new Set<Promise<unknown>>();

  constructor(options: FunctionsOptions) {
    this.#options = options;
    this.#watch = new FileWatch({ files: () => this.#files(), onChange: options.onFiles });
  }

  /** Starts what does not run yet. Every reason why a function cannot be loaded; then nothing has changed. */
  async prepare(functions: readonly BuiltFunction[]): Promise<readonly string[]> {
    const known = new Set(this.#groups.keys());
    const offered: Offered = { keys: functions.map((one) => this.#group(one)), loaded: false };
    this.#offered = offered;
    const fresh = offered.keys.filter((key) => !known.has(key)).map((key) => this.#groups.get(key)!);
    const settled = await Promise.all(
      fresh.flatMap(({ built, processes }) =>
        processes.map(async ({ settled }) => ({ name: built.settings.name, problem: await settled }))
      ),
    );
    const problems = settled.filter(({ problem }) => problem !== null)
      .map(({ name, problem }) => `function ${name}: ${problem}`);
    offered.loaded = problems.length === 0;
    if (offered.loaded) this.#options.onChange();
    else this.settle(null);
    return [...new Set(problems)];
  }

  /** Resolves when those in force serve, or have failed, or it has taken long: the rest of a node does not wait. */
  async first(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((done) => timer = setTimeout(done, FIRST_WAIT_MS));
    const all = this.#current.flatMap((key) =>
      this.#groups.get(key)!.processes.map(({ settled }) => settled)
    );
    await Promise.race([Promise.all(all), late]);
    clearTimeout(timer);
    this.#watch.start();
  }

  /** These are in force; null: those that were. Others end, but for what is on offer meanwhile. */
  settle(functions: readonly BuiltFunction[] | null): void {
    if (functions !== null) this.#current = functions.map((one) => this.#group(one));
    const keys = this.#current;
    const isOffer = functions === null || this.#offered?.keys.every((key) => keys.includes(key));
    if (isOffer) this.#offered = null;
    const kept = new Set([...keys, ...this.#offered?.keys ?? []]);
    for (const [key, { processes }] of this.#groups) {
      if (kept.has(key)) continue;
      this.#groups.delete(key);
      for (const process of processes) this.#follow(process.end());
    }
  }

  /** Where the balancer is to find them. Those on offer come before those of the same name that are in force. */
  places(): FunctionPlace[] {
    const byName = new Map<string, Group>();
    for (const key of [...this.#current, ...this.#offered?.loaded === true ? this.#offered.keys : []]) {
      const group = this.#groups.get(key)!;
      byName.set(group.built.settings.name, group);
    }
    return [...byName].flatMap(([name, { processes }]) =>
      processes.flatMap(({ port }, index) => port === null ? [] : [{ name, index, port }])
    );
  }

  status(): FunctionStatus[] {
    return this.#current.map((key) => {
      const { built: { settings: { name, module } }, processes } = this.#groups.get(key)!;
      return {
        name,
        module,
        processes: processes.map(({ pid, port, restarts, lastDeath }) => ({
          pid,
          port,
          restarts,
          lastDeath,
        })),
      };
    });
  }

  /** Lets all of them finish and end. */
  async close(): Promise<void> {
    this.#watch.stop();
    this.#current = [];
    this.#offered = null;
    this.settle([]);
    await Promise.all(this.#ends);
  }

  #files(): string[] {
    return [...new Set(this.#current.flatMap((key) => this.#groups.get(key)!.built.files))];
  }

  /** The key of a function, which runs from now on. */
  #group(built: BuiltFunction): string {
    const { settings, code } = built;
    const key = createHash("sha256").update(JSON.stringify(settings)).update(code).digest("hex");
    if (!this.#groups.has(key)) this.#groups.set(key, { built, processes: this.#startAll(built) });
    return key;
  }

  #startAll(built: BuiltFunction): FunctionProcess[] {
    const { start, log } = this.#options;
    const onChange = () => this.#options.onChange();
    return Array.from(
      { length: built.settings.count },
      (_, index) => new FunctionProcess({ built, number: index + 1, start, onChange, log }),
    );
  }

  #follow(end: Promise<unknown>): void {
    this.#ends.add(end);
    void end.finally(() => this.#ends.delete(end));
  }
}
