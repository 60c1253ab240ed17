/**
 * The configurations of a node, as its keeper has them: the file is read and checked, offered to the balancer, and
 * comes into force or is refused. What an operator changes live is the same text with something laid over it.
 *
 * A bad one changes nothing. Reloads, live changes and upgrades happen one at a time, in order. It must not know how the balancer is
 * told.
 */
import { reasonOf } from "../base/reason.ts";
import { isEmpty, type LiveChanges, lostServer, NO_CHANGES } from "../config/live.ts";
import type { InstanceNow } from "../config/plan_election.ts";
import type { FilesRead } from "../functions/bundled.ts";
import type { Log } from "../observe/log.ts";
import { type Configuration, Generations } from "./generations.ts";
import type { Checked, KeeperFacts } from "./keeper_facts.ts";
import type { Refusal } from "./commands.ts";
import type { Plan } from "./desk.ts";

export interface ConfigurationsOptions {
  /** Reads the file. Rejects with a message for people. */
  readonly read: () => Promise<string>;
  /**
   * Every problem of a text with changes laid over it, or what the keeper needs of it. `onDisk`: and of the files that it
   * names.
   */
  readonly check: (text: string, live: LiveChanges, onDisk: boolean) => Promise<Checked>;
  /** What a reload would change, of a text with changes laid over it by another with others. */
  readonly plan: (
    before: Pick<Configuration, "text" | "live">,
    after: Pick<Configuration, "text" | "live">,
    election: readonly InstanceNow[],
  ) => Promise<Plan>;
  /** What the node knows of the election now. */
  readonly election: () => readonly InstanceNow[];
  /** Makes ready what a checked text needs before the balancer gets it; every reason why that cannot be. */
  readonly prepare: (facts: KeeperFacts) => Promise<readonly string[]>;
  /** A text is refused, and these files may be the reason. */
  readonly onBadFiles: (files: FilesRead) => void;
  /** Hands a checked text to the balancer that there is. */
  readonly offer: (offer: Configuration) => void;
  /** The same where the text is the one that runs. */
  readonly change: (offer: Configuration) => void;
  /** Why nothing can be changed live now; null: it can. */
  readonly obstacle: () => string | null;
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

export type Changed = { readonly generation: number } | Refusal;

export class Configurations {
  readonly #options: ConfigurationsOptions;
  readonly #socketPath: string;
  readonly #log: Log;
  readonly #generations = new Generations();
  readonly #facts = new Map<number, KeeperFacts>();
  /** Generations that are live changes: what becomes of them says nothing of the file. */
  readonly #changes = new Set<number>();
  #refused: Refused | null = null;
  #order: Promise<unknown> = Promise.resolve();
  /** Reloads whose file is being read. */
  #reading = 0;

  constructor(options: ConfigurationsOptions, first: { readonly text: string; readonly facts: KeeperFacts }) {
    this.#options = options;
    this.#log = options.log;
    this.#socketPath = first.facts.socketPath;
    const { text, facts } = first;
    this.#facts.set(this.#generations.offer(text, facts.live).generation, facts);
    for (const warning of facts.warnings ?? []) this.#log.warning(warning);
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
  reload(): Promise<{ readonly problems: readonly string[] }> {
    return this.#replace((live) => readChecked(this.#options, live));
  }

  /** What the text that runs names has changed: the same text again. */
  refresh(): Promise<{ readonly problems: readonly string[] }> {
    return this.#replace((live) => {
      const text = this.#generations.accepted?.text;
      return text === undefined
        ? readChecked(this.#options, live)
        : checkText(text, this.#options.check, live);
    });
  }

  async #replace(read: Reading): Promise<{ readonly problems: readonly string[] }> {
    this.#reading++;
    this.#options.onChange();
    const offering = this.#order.then(() => this.#replaceOnce(read));
    this.#order = offering.finally(() => {
      this.#reading--;
      this.#options.onChange();
    }).catch(() => {});
    const offered = await offering.catch((error: unknown) => this.#refuse([reasonOf(error)]));
    if (typeof offered !== "number") return { problems: offered };
    return { problems: await this.#generations.outcome(offered) };
  }

  /** What a reload would do now; `given`: with this text in the file. */
  async plan(given?: string): Promise<Plan> {
    const { accepted } = this.#generations;
    const read = given === undefined ? this.#options.read : () => Promise.resolve(given);
    const { text, checked } = await readChecked({ ...this.#options, read }, this.live);
    if ("problems" in checked) return { problems: checked.problems, changes: [] };
    const after = { text, live: checked.live ?? NO_CHANGES };
    const { plan, election } = this.#options;
    return accepted === null ? { problems: [], changes: [] } : await plan(accepted, after, election());
  }

  /** What is changed live in the configuration that runs. */
  get live(): LiveChanges {
    return this.#generations.accepted?.live ?? NO_CHANGES;
  }

  /**
   * Changes what is laid over the file: `alter` makes the next of what there is, or says why not. Resolves when it is
   * in force in every worker, or refused.
   */
  change(alter: (live: LiveChanges, facts: KeeperFacts) => LiveChanges | Refusal): Promise<Changed> {
    const obstacle = this.#options.obstacle();
    // One that lasts: it is not waited for.
    if (obstacle !== null) return Promise.resolve({ status: 503, problems: [obstacle] });
    return this.between(async (before) => {
      await before;
      await this.#generations.settled();
      const { accepted } = this.#generations;
      const facts = this.facts;
      const obstacle = this.#options.obstacle();
      if (obstacle !== null || accepted === null || facts === undefined) {
        return { status: 503, problems: [obstacle ?? "no configuration is in force yet"] };
      }
      const live = alter(accepted.live, facts);
      if ("problems" in live) return live;
      // Files stay as they were: who drains a server is not kept from it by a certificate.
      const checked = await this.#options.check(accepted.text, live, false);
      if ("problems" in checked) return { status: 409, problems: checked.problems };
      const lost = lostServer(live, checked.live ?? NO_CHANGES);
      if (lost !== null) {
        return { status: 409, problems: [`the file has a server of the name or address of ${lost}`] };
      }
      const offer = this.#generations.offer(accepted.text, checked.live);
      this.#facts.set(offer.generation, { ...checked, functions: facts.functions ?? [] });
      this.#changes.add(offer.generation);
      this.#options.change(offer);
      const problems = await this.#generations.outcome(offer.generation);
      this.#changes.delete(offer.generation);
      return problems.length === 0 ? { generation: offer.generation } : { status: 409, problems };
    });
  }

  /** What begins now is awaited by later reloads, and awaits those before it: `begin` is told when they are done. */
  between<T>(begin: (before: Promise<unknown>) => Promise<T>): Promise<T> {
    const result = begin(this.#order);
    // What fails is told to whoever began it, and is no reason for the next one not to begin.
    this.#order = Promise.allSettled([this.#order, result]);
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
    if (!this.#changes.has(generation)) this.#refused = null;
    for (const older of this.#facts.keys()) if (older < generation) this.#facts.delete(older);
    this.#log.info("configuration in force", { generation });
    return this.#facts.get(generation)!;
  }

  /** The balancer refuses it. False: it was not offered. */
  rejected(generation: number, problems: readonly string[]): boolean {
    if (!this.#generations.rejected(generation, problems)) return false;
    if (!this.#changes.has(generation)) this.#refused = { at: Date.now(), problems };
    for (const problem of problems) this.#log.error(problem, { generation });
    return true;
  }

  /** The generation on offer, or why there is none. */
  async #replaceOnce(read: Reading): Promise<number | readonly string[]> {
    const handedOn = this.#options.handOn();
    if (handedOn !== null) return [handedOn];
    // What the last one offered is what this one is read beside.
    await this.#generations.settled();
    const { text, checked } = await read(this.#generations.newest?.live);
    if ("problems" in checked) {
      this.#options.onBadFiles(checked.files ?? []);
      return this.#refuse(checked.problems);
    }
    const problems = await this.#options.prepare(checked);
    if (problems.length > 0) return this.#refuse(problems);
    if (checked.socketPath !== this.#socketPath) {
      this.#log.warning("the admin socket moves with the next start only", { socket: checked.socketPath });
    }
    for (const warning of checked.warnings ?? []) this.#log.warning(warning);
    const offer = this.#generations.offer(text, checked.live);
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

type Reading = (live?: LiveChanges) => Promise<ReadChecked>;

interface ReadChecked {
  readonly text: string;
  readonly checked: Checked;
}

/**
 * The text of the file and what a check says of it with what was changed live, unless it wants that to be forgotten.
 * Never rejects: what cannot be read is a problem.
 */
export async function readChecked(
  { read, check }: Pick<ConfigurationsOptions, "read" | "check">,
  live: LiveChanges = NO_CHANGES,
): Promise<ReadChecked> {
  try {
    return await checkText(await read(), check, live);
  } catch (error) {
    const problem = reasonOf(error);
    return { text: "", checked: { problems: [problem] } };
  }
}

async function checkText(
  text: string,
  check: ConfigurationsOptions["check"],
  live: LiveChanges = NO_CHANGES,
): Promise<ReadChecked> {
  const bare = await check(text, NO_CHANGES, true);
  if (isEmpty(live) || "problems" in bare || bare.resetsLive === true) return { text, checked: bare };
  const checked = await check(text, live, false);
  if (!("problems" in checked)) return { text, checked: { ...checked, functions: bare.functions ?? [] } };
  const problems = checked.problems.map((problem) => `${problem} (beside what was changed live)`);
  return { text, checked: { ...checked, problems } };
}
