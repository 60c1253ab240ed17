/**
 * What a balancer that is started anew has of the one before: what the files in force held, until its first
 * configuration is in force. Pure.
 */
import { type HeldFiles, heldFiles } from "../config/held_files.ts";
import type { Log } from "../observe/log.ts";

export class ReceivedFiles {
  readonly #log: Log;
  #files: HeldFiles | null = null;
  #startedAnew = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Null: there are none, or a configuration is in force. */
  get files(): HeldFiles | null {
    return this.#files;
  }

  /** A balancer before had a configuration in force, whether or not its files could be kept; not so once this one has. */
  get startedAnew(): boolean {
    return this.#startedAnew;
  }

  /** As the keeper kept it; empty: it could not be kept. */
  receive(text: string): void {
    this.#startedAnew = true;
    this.#files = text === "" ? null : heldFiles(text);
    if (text === "" || this.#files !== null) return;
    this.#log.warning("what files held before the restart is not understood: they are read again");
  }

  forget(): void {
    this.#files = null;
    this.#startedAnew = false;
  }
}
