/**
 * Taking over from the keeper before, once: when the balancer serves and its health is known. A keeper that is the
 * first of its node has nobody to take over from, and all of this does nothing.
 */
import { reasonOf } from "../base/reason.ts";
import type { Log } from "../observe/log.ts";
import type { BrokenFunction } from "./functions_io.ts";
import type { Predecessor } from "./predecessor_io.ts";

export interface SuccessionOptions {
  /** Null: this keeper is the first. */
  readonly predecessor: Predecessor | null;
  /** Functions that do not serve. */
  readonly broken: () => readonly BrokenFunction[];
  /** Takes what the keeper before held; rejects with what is in the way. */
  readonly take: (document: string) => Promise<void>;
  /** It has been taken, and the one before has fallen silent. */
  readonly onTaken: () => void;
  /** Nothing came of it: the keeper before goes on. */
  readonly onFailed: () => void;
  readonly log: Log;
}

export class Succession {
  readonly #options: SuccessionOptions;
  /** Not yet the node: the keeper before still is. */
  #predecessor: Predecessor | null;
  #begun = false;
  /** What the balancer is to know before its first configuration. */
  #carried: string | null = null;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#predecessor = options.predecessor;
  }

  /** Another keeper still is the node. */
  get pending(): boolean {
    return this.#predecessor !== null;
  }

  /** What the balancer is to know before its first configuration; null: nothing. */
  get carried(): string | null {
    return this.#carried;
  }

  /** Waits for what the balancer before knew. */
  async prepare(): Promise<void> {
    if (this.#predecessor !== null) this.#carried = await this.#predecessor.document("balancer");
  }

  /** The balancer serves, and its health is known. */
  begin(): void {
    const predecessor = this.#predecessor;
    if (predecessor === null || this.#begun) return;
    this.#begun = true;
    this.#takeOver(predecessor).catch(async (error: unknown) => {
      const reason = reasonOf(error);
      this.#options.log.error(`Cannot take over: ${reason}`);
      await predecessor.failed([reason]);
      this.#options.onFailed();
    });
  }

  /** The balancer refuses the configuration. */
  rejected(problems: readonly string[]): void {
    void this.#predecessor?.failed(problems);
  }

  async #takeOver(predecessor: Predecessor): Promise<void> {
    const { broken, take } = this.#options;
    await predecessor.handOver(broken(), take);
    this.#predecessor = this.#carried = null;
    this.#options.onTaken();
  }
}
