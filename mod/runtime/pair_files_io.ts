/**
 * Has the nodes of a pair share files over their line: after every change, when a peer appears, and now and then; after
 * a failure soon, and then less and less often. What the files are it must not know.
 */
import type { Log } from "../observe/log.ts";
import {
  compare,
  fitting,
  GIVE,
  type Given,
  HAVE,
  MAX_FILES,
  readMessage,
  type Times,
} from "./file_exchange.ts";
import type { Exchange, PairLine, Peer } from "./pair_line_io.ts";
import type { SealedLink } from "./sealed_link_io.ts";
import type { StoredFile, StoredFiles } from "./stored_files_io.ts";

/** When nothing has changed, as far as is known. */
const AGAIN_MS = 30_000;
/** After a failure, doubling with each further one: a peer that is heard again may not be reached yet. */
const RETRY_MS = 1000;
const EXCHANGE_MS = 10_000;

export interface PairFilesOptions {
  readonly files: StoredFiles;
  readonly line: PairLine;
  /** Files of another node have come. */
  readonly onReceived: () => void;
  readonly log: Log;
  /** A clock that never jumps, in milliseconds. */
  readonly now?: () => number;
}

export class PairFiles {
  readonly #options: PairFilesOptions;
  #peers: readonly Peer[] = [];
  readonly #now: () => number;
  /** When each peer is to be spoken to. */
  readonly #dueAt = new Map<string, number>();
  /** How long the last pause after a failure was, of peers that could not be spoken to. */
  readonly #pausedMs = new Map<string, number>();

  constructor(options: PairFilesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Called often: whom to share with now. */
  update(peers: readonly Peer[]): void {
    this.#peers = peers;
    const addresses = peers.map(({ address }) => address);
    for (const times of [this.#dueAt, this.#pausedMs]) {
      for (const address of times.keys()) if (!addresses.includes(address)) times.delete(address);
    }
    const now = this.#now();
    for (const peer of peers) {
      if ((this.#dueAt.get(peer.address) ?? -Infinity) > now) continue;
      this.#dueAt.set(peer.address, now + AGAIN_MS);
      void this.#speakTo(peer);
    }
  }

  /** A file of ours is another: every peer is to hear of it. */
  changed(): void {
    this.#dueAt.clear();
    this.update(this.#peers);
  }

  /** What another node wants that has said what it has; null: it wants something else. */
  exchange(first: unknown, from: string): Exchange | null {
    const said = HAVE.safeParse(first);
    if (!said.success) return null;
    return { withinMs: EXCHANGE_MS, run: (link) => this.#answer(link, new Map(said.data.have), from) };
  }

  async #speakTo({ node, address }: Peer): Promise<void> {
    const { line } = this.#options;
    try {
      await line.speak("files", address, EXCHANGE_MS, (link) => this.#begin(link, node));
      this.#pausedMs.delete(address);
    } catch (error) {
      this.#failed(address);
      line.complain("cannot share certificates with another node", node, error);
    }
  }

  #failed(address: string): void {
    // One that is not there any more begins anew.
    if (!this.#dueAt.has(address)) return;
    const pauseMs = Math.min(AGAIN_MS, 2 * (this.#pausedMs.get(address) ?? RETRY_MS / 2));
    this.#pausedMs.set(address, pauseMs);
    this.#dueAt.set(address, this.#now() + pauseMs);
  }

  async #begin(link: SealedLink, node: string): Promise<void> {
    const { files } = this.#options;
    await link.send(JSON.stringify({ have: [...await files.times()] }));
    const { give, want } = readMessage(GIVE, await link.receive());
    await this.#keep(give, node);
    await link.send(JSON.stringify({ give: fitting(await this.#read(want)), want: [] }));
    // Its end says that it has all.
    await link.receive().catch(() => {});
  }

  async #answer(link: SealedLink, theirs: Times, from: string): Promise<void> {
    const { files } = this.#options;
    const { give, want } = compare(await files.times(), theirs);
    await link.send(JSON.stringify({ give: fitting(await this.#read(give)), want }));
    await this.#keep(readMessage(GIVE, await link.receive()).give, from);
  }

  async #read(names: readonly string[]): Promise<StoredFile[]> {
    const all = await Promise.all(names.map((name) => this.#options.files.read(name)));
    return all.filter((file) => file !== null);
  }

  async #keep(given: Given, from: string): Promise<void> {
    const { files, log, onReceived } = this.#options;
    if (given.length === 0) return;
    const known = await files.times();
    const room = MAX_FILES - known.size;
    const fresh = given.filter(({ name }) => !known.has(name));
    if (fresh.length > room) throw new Error(`it has more than ${MAX_FILES} files`);
    for (const { name, text, at } of given) {
      const problem = await files.store(name, text, at);
      if (problem !== "") throw new Error(problem);
    }
    log.info("certificates received from another node", { from, files: given.length });
    onReceived();
  }
}
