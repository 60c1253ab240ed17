/**
 * The configurations of a node, as its keeper has them: the file is read and checked, offered to the balancer, and
 * comes into force or is refused.
 *
 * A bad one changes nothing. Reloads and upgrades happen one at a time, in order. It must not know how the balancer is
 * told.
 */
import type { Log } from "../observe/log.ts";
import { type Configuration, Generations } from "./generations.ts";
import type { Checked, KeeperFacts } from "./keeper_facts.ts";

export interface ConfigurationsOptions {
  /** Reads the file. Rejects with a message for people. */
  readonly read: () => Promise<string>;
  /** Every problem of a text, or what the keeper needs of it. */
  readonly check: (text: string) => Promise<Checked>;
  /** Hands a checked text to the balancer that there is. */
  readonly offer: (offer: Configuration) => void;
  /** Hands a reload on to the keeper that has the node now, and says so; null: this one has. */
  readonly handOn: () => string | null;
  /** `reading`, `changing` or `refused` may be others. */
  readonly onChange: () => void;
  readonly log: Log;
}

/** The last configuration, when it was refused: what runs is an older one. */
export interface Refused {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly problems: readonly string[];
}

export class Configurations {
  readonly #options: ConfigurationsOptions;
  readonly #socketPath: string;
  readonly #log: Log;
  readonly #generations = new Generations();
  readonly #facts = new Map<number, KeeperFacts>();
  #refused: Refused | null = null;
  #order: Promise<unknown> = Promise.resolve();
  /** Reloads whose file is being read. */
  #reading = 0;

  constructor(options: ConfigurationsOptions, first: { readonly text: string; readonly facts: KeeperFacts }) {
    this.#options = options;
    this.#log = options.log;
    this.#socketPath = first.facts.socketPath;
    this.#facts.set(this.#generations.offer(first.text).generation, first.facts);
  }

  /** The number of the one that runs; null before the first is accepted. */
  get generation(): number | null {
    return this.#generations.accepted?.generation ?? null;
  }

  /** What the keeper needs of the one that runs. */
  get facts(): KeeperFacts | undefined {
    return this.#facts.get(this.generation ?? -1);
  }

  get refused(): Refused | null {
    return this.#refused;
  }

  /** True while an answer of the balancer is awaited. */
  get pending(): boolean {
    return this.#generations.pending;
  }

  /** True while another one than what runs is being read or on offer. */
  get changing(): boolean {
    return this.#reading > 0 || this.#generations.changing;
  }

  /** Reads the file again. One at a time, in order. What is wrong with it, or nothing. */
  async reload(): Promise<{ readonly problems: readonly string[] }> {
    this.#reading++;
    this.#options.onChange();
    const read = this.#order.then(() => this.#reloadOnce());
    this.#order = read.then(() => {
      this.#reading--;
      this.#options.onChange();
    });
    const offered = await read;
    if (typeof offered !== "number") return { problems: offered };
    return { problems: await this.#generations.outcome(offered) };
  }

  /** What begins now is awaited by later reloads, and awaits those before it: `begin` is told when they are done. */
  between<T>(begin: (before: Promise<unknown>) => Promise<T>): Promise<T> {
    const result = begin(this.#order);
    this.#order = Promise.all([this.#order, result]);
    return result;
  }

  /** The balancer is started anew: what it gets; an offer that was under way is given up. */
  restart(): Configuration | null {
    const { configuration, dropped } = this.#generations.restart();
    for (const generation of dropped) {
      this.#log.error("a reload under way is given up, as the balancer ended meanwhile", { generation });
    }
    return configuration;
  }

  /** The balancer runs it: what the keeper needs of it; null: it was not offered, or is older than what runs. */
  ready(generation: number): KeeperFacts | null {
    if (!this.#generations.ready(generation)) return null;
    this.#refused = null;
    for (const older of this.#facts.keys()) if (older < generation) this.#facts.delete(older);
    this.#log.info("configuration in force", { generation });
    return this.#facts.get(generation)!;
  }

  /** The balancer refuses it. False: it was not offered. */
  rejected(generation: number, problems: readonly string[]): boolean {
    if (!this.#generations.rejected(generation, problems)) return false;
    this.#refused = { at: Date.now(), problems };
    for (const problem of problems) this.#log.error(problem, { generation });
    return true;
  }

  /** The generation on offer, or why there is none. */
  async #reloadOnce(): Promise<number | readonly string[]> {
    const handedOn = this.#options.handOn();
    if (handedOn !== null) return [handedOn];
    const { text, checked } = await readChecked(this.#options);
    if ("problems" in checked) return this.#refuse(checked.problems);
    if (checked.socketPath !== this.#socketPath) {
      this.#log.warning("the admin socket moves with the next start only", { socket: checked.socketPath });
    }
    const offer = this.#generations.offer(text);
    this.#facts.set(offer.generation, checked);
    this.#log.info("reload: configuration read", { generation: offer.generation });
    this.#options.offer(offer);
    return offer.generation;
  }

  #refuse(problems: readonly string[]): readonly string[] {
    this.#refused = { at: Date.now(), problems };
    for (const problem of problems) this.#log.error(problem);
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    this.#log.error(`reload refused: ${count}; running on as before`);
    return problems;
  }
}

/** The text of the file and what a check says of it. Never rejects: what cannot be read is a problem. */
export async function readChecked(
  { read, check }: Pick<ConfigurationsOptions, "read" | "check">,
): Promise<{ text: string; checked: Checked }> {
  try {
    const text = await read();
    return { text, checked: await check(text) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { text: "", checked: { problems: [problem] } };
  }
}
