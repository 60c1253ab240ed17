/**
 * The functions of a node as the keeper has them: which processes there are, and where the balancer finds them.
 *
 * Those of a configuration on offer run beside those of the one in force, so that nothing is lost either way; what is
 * the same in both is left alone.
 */
import { createHash } from "node:crypto";
import { MAX_PROCESSES } from "../config/functions.ts";
import type { BuiltFunction, FilesRead } from "../functions/bundled.ts";
import type { FunctionStatus } from "../observe/keeper_status.ts";
import type { Log } from "../observe/log.ts";
import { FileWatch } from "./file_watch_io.ts";
import type { FunctionPlace } from "./function_places.ts";
import { FunctionProcess, type FunctionProcessOptions } from "./function_process_io.ts";
import type { KeeperFacts } from "./keeper_facts.ts";
import { Turns } from "./turns_io.ts";

export interface FunctionsOptions {
  readonly start: FunctionProcessOptions["start"];
  /** Some process has another place. */
  readonly onChange: () => void;
  /** A file that one is made of is another; false: it is to be told again. */
  readonly onFiles: () => boolean;
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

/** What the functions of a configuration are, and how long what they have under way may take when they are replaced. */
type Wanted = Pick<KeeperFacts, "functions" | "drainMs">;

/** Processes that start take a core each for about half a second: traffic is to have the other half of them. */
const STARTS_AT_ONCE = Math.max(1, Math.floor(navigator.hardwareConcurrency / 2));
/** One that takes longer waits for something, or never loads. */
const START_TURN_MS = 2000;

/** A few dozen of them must fit a line between two keepers. */
const REASON_CHARS = 200;

/** A function of which no process serves, and why. */
export interface BrokenFunction {
  readonly name: string;
  readonly reason: string;
}

/** Longest wait for functions of a node that starts: what else it does is not to wait for them. */
const FIRST_WAIT_MS = 3000;

export class Functions {
  readonly #options: FunctionsOptions;
  readonly #turns = new Turns(STARTS_AT_ONCE, START_TURN_MS);
  readonly #groups = new Map<string, Group>();
  #current: readonly string[] = [];
  /** Of a configuration that is not in force yet; `loaded` once all of them serve. Null: there is none. */
  #offered: Offered | null = null;
  readonly #watch: FileWatch;
  /** What those in force were made of, and what was last refused. */
  #read: FilesRead = [];
  #refused: FilesRead = [];
  /** Those that finish what they have, the oldest first. */
  readonly #ending = new Set<FunctionProcess>();
  #drainMs = 0;

  constructor(options: FunctionsOptions) {
    this.#options = options;
    this.#watch = new FileWatch({
      files: () => new Map([...this.#read, ...this.#refused]),
      onChange: options.onFiles,
    });
  }

  /** Functions of these files were refused. They come into force when they are put right. */
  refused(files: FilesRead): void {
    this.#refused = files;
  }

  /** Starts what does not run yet. Every reason why a function cannot be loaded; then nothing has changed. */
  async prepare(wanted: Wanted): Promise<readonly string[]> {
    const known = new Set(this.#groups.keys());
    const offered: Offered = { keys: this.#groupsOf(wanted), loaded: false };
    this.refused(filesOf(wanted));
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

  /**
   * Resolves when those in force serve, or have failed. `patient`: however long that takes; else the rest of a node does
   * not wait for long.
   */
  async first(patient: boolean): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((done) => {
      if (!patient) timer = setTimeout(done, FIRST_WAIT_MS);
    });
    const all = this.#current.flatMap((key) =>
      this.#groups.get(key)!.processes.map(({ settled }) => settled)
    );
    await Promise.race([Promise.all(all), late]);
    clearTimeout(timer);
    this.#watch.start();
  }

  /** These are in force; null: those that were. Others end, but for what is on offer meanwhile. */
  settle(wanted: Wanted | null): void {
    if (wanted !== null) {
      this.#current = this.#groupsOf(wanted);
      this.#drainMs = wanted.drainMs;
      this.#read = filesOf(wanted);
      this.#refused = [];
    }
    const keys = this.#current;
    const isOffer = wanted === null || this.#offered?.keys.every((key) => keys.includes(key));
    if (isOffer) this.#offered = null;
    const kept = new Set([...keys, ...this.#offered?.keys ?? []]);
    for (const [key, { processes }] of this.#groups) {
      if (kept.has(key)) continue;
      this.#groups.delete(key);
      for (const process of processes) this.#end(process, this.#drainMs);
    }
  }

  /** Those in force that do not serve. */
  broken(): BrokenFunction[] {
    return this.#current.map((key) => this.#groups.get(key)!).filter((group) => !serves(group))
      .map(({ built: { settings: { name } }, processes }) => ({
        name,
        reason: reasonOf(processes),
      }));
  }

  /** Whether the function of that name serves. */
  serves(name: string): boolean {
    return this.#current.map((key) => this.#groups.get(key)!)
      .some((group) => group.built.settings.name === name && serves(group));
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

  /** Ends all of them: nobody is there any more who could have asked them. */
  async close(): Promise<void> {
    this.#watch.stop();
    this.#offered = null;
    this.settle({ drainMs: 0 });
    await Promise.all([...this.#ending].map((process) => process.end(0)));
  }

  /** The keys of functions, which run from now on. */
  #groupsOf({ functions = [], drainMs }: Wanted): string[] {
    return functions.map((built) => {
      const { settings, code } = built;
      const key = createHash("sha256").update(JSON.stringify(settings)).update(code).digest("hex");
      if (!this.#groups.has(key)) this.#groups.set(key, { built, processes: this.#startAll(built, drainMs) });
      return key;
    });
  }

  #startAll(built: BuiltFunction, drainMs: number): FunctionProcess[] {
    const { start, log } = this.#options;
    const turns = this.#turns;
    const onChange = () => this.#options.onChange();
    return Array.from(
      { length: built.settings.count },
      (_, index) => new FunctionProcess({ built, drainMs, number: index + 1, turns, start, onChange, log }),
    );
  }

  /** Who replaces functions faster than they finish has the oldest end at once. */
  #end(process: FunctionProcess, withinMs: number): void {
    this.#ending.add(process);
    void process.end(withinMs).finally(() => this.#ending.delete(process));
    for (const oldest of [...this.#ending].slice(0, -MAX_PROCESSES)) oldest.kill();
  }
}

function reasonOf(processes: readonly FunctionProcess[]): string {
  const death = processes.find(({ lastDeath }) => lastDeath !== null)?.lastDeath ?? "it is not loaded yet";
  return death.split("\n", 1)[0]!.slice(0, REASON_CHARS);
}

function serves({ processes }: Group): boolean {
  return processes.some(({ port }) => port !== null);
}

function filesOf({ functions = [] }: Wanted): FilesRead {
  return functions.flatMap(({ files }) => files);
}
