/**
 * What the keeper does for certificates by ACME: it writes what the balancer has been given, as that one may not write,
 * has it shared with the other nodes, and says whether this node is the one to ask authorities. It asks none itself, as it
 * holds privileges.
 */
import type { InstanceStatus } from "../observe/election_status.ts";
import { type CertificateOrder, performOrder } from "./certificate_orders_io.ts";
import { type Outcome, refused } from "./commands.ts";
import type { ElectionSettings } from "./election.ts";
import type { AcmeFacts } from "./keeper_facts.ts";
import type { StoredFiles } from "./stored_files_io.ts";
import type { ToBalancer, ToKeeper } from "./link.ts";

export interface HadFilesOptions {
  readonly send: (message: ToBalancer) => void;
  /** The instances at work here. */
  readonly election: () => readonly InstanceStatus[];
  readonly files: StoredFiles;
  /** The other nodes, which have the same files. */
  readonly pair: { changed(): void; readonly shares: boolean };
}

export class HadFiles {
  readonly #options: HadFilesOptions;
  /** Null: there is nothing by ACME. */
  #facts: AcmeFacts | null = null;
  /** The first instance that this node is in; null: there is no election. */
  #instance: string | null = null;
  /** What the balancer was told. */
  #told = false;

  constructor(options: HadFilesOptions) {
    this.#options = options;
  }

  /** Null: there is nothing by ACME. */
  configure(facts: AcmeFacts | null, { instances }: ElectionSettings): void {
    this.#facts = facts;
    this.#options.files.directory = facts?.state ?? null;
    this.#instance = instances[0]?.runner.name ?? null;
  }

  /** A balancer has begun, and knows nothing. */
  forget(): void {
    this.#told = false;
  }

  /**
   * Called often. Only the node that holds the address is reached by authorities: it asks them, and nobody else.
   */
  tell(): void {
    if (this.#facts === null && !this.#told) return;
    const instances = this.#instance === null ? [] : this.#options.election();
    const serves = this.#instance === null ||
      instances.some(({ name, state }) => name === this.#instance && state === "active");
    const on = this.#facts !== null && serves;
    if (on === this.#told) return;
    this.#told = on;
    this.#options.send({ kind: "issue", on });
  }

  async store({ id, file, text }: Extract<ToKeeper, { kind: "store" }>): Promise<void> {
    const problem = await this.#options.files.store(file, text);
    this.#options.send({ kind: "stored", id, problem });
    if (problem === "") this.#options.pair.changed();
  }

  /** What an operator wants. */
  async perform(order: CertificateOrder): Promise<Outcome> {
    if (this.#facts === null) return refused(409, "the configuration has no acme");
    const { authority, names } = this.#facts;
    const outcome = await performOrder(order, {
      ...{ files: this.#options.files, directory: authority, names, active: this.#told },
      shared: this.#instance === null ? null : this.#options.pair.shares,
    });
    if (!outcome.ok) return outcome;
    this.#options.send({ kind: "arrived" });
    this.#options.pair.changed();
    return outcome;
  }
}
