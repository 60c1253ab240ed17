/**
 * The balancer's process as its keeper has it: what is said to it, what it says, and how it ended.
 */
import { isEmpty } from "../config/live.ts";
import type { Configuration } from "./generations.ts";
import {
  configMessages,
  type Decoded,
  liveMessages,
  TO_KEEPER,
  type ToBalancer,
  type ToKeeper,
} from "./link.ts";
import { LinkWriter, readLink } from "./link_io.ts";
import { cut } from "./parts.ts";

export class BalancerChild {
  /** Resolves when it has ended and all that it said has been heard. */
  readonly ended: Promise<{ readonly reason: string; readonly code: number }>;
  readonly #process: Deno.ChildProcess;
  readonly #link: LinkWriter<ToBalancer>;

  /** Its standard input and output are pipes. */
  constructor(process: Deno.ChildProcess, onDecoded: (decoded: Decoded<ToKeeper>) => void) {
    this.#process = process;
    this.#link = new LinkWriter<ToBalancer>(process.stdin);
    this.ended = this.#watch(onDecoded);
  }

  get pid(): number {
    return this.#process.pid;
  }

  send(message: ToBalancer): void {
    this.#link.send(message);
  }

  configure({ generation, text, live }: Configuration): void {
    if (!isEmpty(live)) this.#sendAll(liveMessages("live", generation, live));
    this.#sendAll(configMessages(generation, text));
  }

  /** The text is the one that runs. */
  change({ generation, live }: Configuration): void {
    this.#sendAll(liveMessages("change", generation, live));
  }

  /** What the balancer knew that it replaces; before the first configuration. */
  tellCarried(text: string): void {
    for (const part of cut("state of the balancer", text)) this.send({ kind: "carried", ...part });
  }

  /** What the files held that the balancer before had in force, "" if it is not known; before the first configuration. */
  tellFiles(text: string): void {
    for (const part of cut("files", text)) this.send({ kind: "files", ...part });
  }

  #sendAll(messages: readonly ToBalancer[]): void {
    for (const message of messages) this.send(message);
  }

  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It ended in this very moment.
    }
  }

  async #watch(onDecoded: (decoded: Decoded<ToKeeper>) => void): Promise<{ reason: string; code: number }> {
    const reading = readLink(this.#process.stdout, TO_KEEPER, onDecoded);
    const { code, signal } = await this.#process.status;
    await reading;
    await this.#link.close();
    return { reason: signal === null ? `exit ${code}` : `killed by ${signal}`, code };
  }
}
