/**
 * What the keeper does for certificates by ACME: it writes what the balancer has been given, as that one may not write,
 * and says whether this node is the one to ask authorities. It asks nobody itself, as it holds privileges.
 */
import type { InstanceStatus } from "../observe/election_status.ts";
import type { ElectionSettings } from "./election.ts";
import { StoredFiles } from "./stored_files_io.ts";
import type { ToBalancer, ToKeeper } from "./link.ts";

export interface HadFilesOptions {
  readonly send: (message: ToBalancer) => void;
  /** The instances at work here. */
  readonly election: () => readonly InstanceStatus[];
}

export class HadFiles {
  readonly files = new StoredFiles();
  readonly #options: HadFilesOptions;
  /** The first instance that this node is in; null: there is no election. */
  #instance: string | null = null;
  /** What the balancer was told. */
  #told = false;

  constructor(options: HadFilesOptions) {
    this.#options = options;
  }

  /** Null: there is nothing by ACME. */
  configure(directory: string | null, { instances }: ElectionSettings): void {
    this.files.directory = directory;
    this.#instance = instances[0]?.runner.name ?? null;
  }

  /** A balancer has begun, and knows nothing. */
  forget(): void {
    this.#told = false;
  }

  /** Only the node that holds the address is reached by authorities: it asks them, and nobody else. */
  tell(): void {
    const on = this.files.directory !== null && this.#serves();
    if (on === this.#told) return;
    this.#told = on;
    this.#options.send({ kind: "issue", on });
  }

  #serves(): boolean {
    if (this.#instance === null) return true;
    return this.#options.election().some(({ name, state }) => name === this.#instance && state === "active");
  }

  async store({ id, file, text }: Extract<ToKeeper, { kind: "store" }>): Promise<void> {
    const problem = await this.files.store(file, text);
    this.#options.send({ kind: "stored", id, problem });
  }
}
