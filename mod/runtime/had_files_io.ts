/**
 * What the keeper does for certificates by ACME: it writes what the balancer has been given, as that one may not write,
 * shares it with the other nodes, and says whether this node is the one to ask authorities. It asks none itself, as it
 * holds privileges.
 */
import type { InstanceStatus } from "../observe/election_status.ts";
import type { Log } from "../observe/log.ts";
import { type CertificateOrder, performOrder } from "./certificate_orders_io.ts";
import { type Outcome, refused } from "./commands.ts";
import type { ElectionSettings } from "./election.ts";
import type { AcmeFacts } from "./keeper_facts.ts";
import { ALONE, type PairFacts, PairFiles } from "./pair_files_io.ts";
import type { SharedKey } from "./sealed_link_io.ts";
import { StoredFiles } from "./stored_files_io.ts";
import type { ToBalancer, ToKeeper } from "./link.ts";

/** A peer that has not been heard for so long is not called either. */
const SILENT_MS = 10_000;

export interface HadFilesOptions {
  readonly send: (message: ToBalancer) => void;
  /** The instances at work here. */
  readonly election: () => readonly InstanceStatus[];
  readonly log: Log;
}

export class HadFiles {
  readonly #files = new StoredFiles();
  readonly #options: HadFilesOptions;
  readonly #pair: PairFiles;
  /** Null: there is nothing by ACME. */
  #facts: AcmeFacts | null = null;
  /** The first instance that this node is in; null: there is no election. */
  #instance: string | null = null;
  /** The first instance with keys, and these; null: nothing is shared. */
  #shared: { readonly instance: string; readonly keys: readonly SharedKey[] } | null = null;
  /** What the balancer was told. */
  #told = false;

  constructor(options: HadFilesOptions) {
    this.#options = options;
    this.#pair = new PairFiles({
      files: this.#files,
      log: options.log,
      onReceived: () => options.send({ kind: "arrived" }),
    });
  }

  /** Null: there is nothing by ACME. */
  configure(facts: AcmeFacts | null, { instances }: ElectionSettings): void {
    this.#facts = facts;
    this.#files.directory = facts?.state ?? null;
    this.#instance = instances[0]?.runner.name ?? null;
    const signed = instances.find(({ segment }) => segment.keys.length > 0);
    this.#shared = signed === undefined || facts === null
      ? null
      : { instance: signed.runner.name, keys: signed.segment.keys };
    if (this.#shared === null) this.#pair.update(ALONE);
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
    this.#pair.update(this.#peers(instances));
    const serves = this.#instance === null ||
      instances.some(({ name, state }) => name === this.#instance && state === "active");
    const on = this.#facts !== null && serves;
    if (on === this.#told) return;
    this.#told = on;
    this.#options.send({ kind: "issue", on });
  }

  async store({ id, file, text }: Extract<ToKeeper, { kind: "store" }>): Promise<void> {
    const problem = await this.#files.store(file, text);
    this.#options.send({ kind: "stored", id, problem });
    if (problem === "") this.#pair.changed();
  }

  /** What an operator wants. */
  async perform(order: CertificateOrder): Promise<Outcome> {
    if (this.#facts === null) return refused(409, "the configuration has no acme");
    const { authority, names } = this.#facts;
    const outcome = await performOrder(order, {
      ...{ files: this.#files, directory: authority, names, active: this.#told },
      shared: this.#instance === null ? null : this.#shared !== null,
    });
    if (!outcome.ok) return outcome;
    this.#options.send({ kind: "arrived" });
    this.#pair.changed();
    return outcome;
  }

  close(): void {
    this.#pair.close();
  }

  #peers(instances: readonly InstanceStatus[]): PairFacts {
    const shared = this.#shared;
    const here = instances.find(({ name }) => name === shared?.instance);
    if (shared === null || here === undefined) return ALONE;
    const scoped = (address: string) =>
      address.startsWith("fe80:") ? `${address}%${here.interface}` : address;
    return {
      local: here.local === null ? null : scoped(here.local),
      peers: here.peers.filter(({ silentMs }) => silentMs < SILENT_MS).map(({ node, address }) => ({
        node,
        address: scoped(address),
      })),
      keys: shared.keys,
    };
  }
}
