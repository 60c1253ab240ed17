/**
 * The new keeper's line to the old one, whose child it is: standard input and output, until the old one has let go.
 */
import { LIVE_CHANGES, type LiveChanges, NO_CHANGES } from "../config/live.ts";
import type { BrokenFunction } from "./functions_io.ts";
import { LinkWriter, readLink } from "./link_io.ts";
import { Assembler } from "./parts.ts";
import { type DocumentName, type FromSuccessor, PROTOCOL, TO_SUCCESSOR } from "./upgrade_link.ts";

export class Predecessor {
  /** It has let go, or is no more. */
  readonly gone: Promise<void>;
  readonly #link = new LinkWriter<FromSuccessor>(Deno.stdout.writable);
  readonly #documents = new Map<string, PromiseWithResolvers<string>>();
  /** Names of documents that have come. */
  readonly #told = new Set<string>();

  /** Says who this is. */
  constructor(version: string) {
    this.gone = this.#read();
    this.#link.send({ kind: "hello", protocol: PROTOCOL, version });
  }

  /** What it tells under that name. Rejects when it ends before. */
  document(name: DocumentName): Promise<string> {
    return this.#document(name).promise;
  }

  /** What an operator has changed live. One of an earlier version does not tell: then it is nothing. */
  async live(): Promise<LiveChanges> {
    // It comes before this one.
    await this.document("balancer");
    const told = LIVE_CHANGES.safeParse(
      this.#told.has("live") ? JSON.parse(await this.document("live")) : null,
    );
    return told.success ? told.data : NO_CHANGES;
  }

  /** All but what is `broken` is ready for `take`; resolves when it has it, and the old one has fallen silent. */
  async handOver(
    broken: readonly BrokenFunction[],
    take: (document: string) => Promise<void>,
  ): Promise<void> {
    this.#link.send({ kind: "ready", broken: [...broken] });
    await take(await this.document("keeper"));
    this.#link.send({ kind: "taken" });
    await this.gone;
  }

  /** Says why nothing comes of it; resolves when it is said. */
  async failed(problems: readonly string[]): Promise<void> {
    this.#link.send({ kind: "failed", problems: [...problems] });
    await this.#link.flushed();
    await this.#link.close();
  }

  #document(name: string): PromiseWithResolvers<string> {
    const known = this.#documents.get(name);
    if (known !== undefined) return known;
    const document = Promise.withResolvers<string>();
    // Nobody may ask for it, ever.
    document.promise.catch(() => {});
    this.#documents.set(name, document);
    return document;
  }

  async #read(): Promise<void> {
    const assembler = new Assembler();
    await readLink(Deno.stdin.readable, TO_SUCCESSOR, (decoded) => {
      if (decoded.kind === "malformed") return;
      const { name } = decoded.message;
      const whole = assembler.add(name, decoded.message);
      if (whole === null) return;
      this.#told.add(name);
      if ("text" in whole) this.#document(name).resolve(whole.text);
      else this.#document(name).reject(new Error(whole.reason));
    });
    for (const name of ["balancer", "keeper"] as const) {
      this.#document(name).reject(new Error("the old keeper ended before it handed over"));
    }
  }
}
