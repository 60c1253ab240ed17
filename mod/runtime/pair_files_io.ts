/**
 * Has the nodes of a pair share files, over TCP 8112: after every change, when a peer appears, and now and then.
 *
 * Only nodes with one of the election's keys take part (`sealed_link_io.ts`). A connection is bounded in time, frames
 * and number, and is made to addresses that the election hears peers from. What the files are it must not know.
 */
import { PerSecond } from "../base/per_second.ts";
import type { Log } from "../observe/log.ts";
import { compare, fitting, GIVE, type Given, HAVE, MAX_FILES, readMessage } from "./file_exchange.ts";
import { SealedLink, type SharedKey } from "./sealed_link_io.ts";
import type { StoredFile, StoredFiles } from "./stored_files_io.ts";

/** The election's, of TCP. */
const PORT = 8112;
/** When nothing has changed, as far as is known. */
const AGAIN_MS = 30_000;
const EXCHANGE_MS = 10_000;
/** Connections that others have made: a peer needs one. */
const MOST_AT_ONCE = 4;
const STRANGERS_A_SECOND = 5;
/** One whom we could not speak with is told of so often. */
const TELL_MS = 60_000;
/** After a connection that could not be accepted, for want of descriptors say. */
const REST_MS = 100;

/** Who there is, as the election knows it. */
export interface PairFacts {
  /** Our own address; null: there is none, or nothing is shared. */
  readonly local: string | null;
  readonly peers: readonly { readonly node: string; readonly address: string }[];
  /** The first seals, all are accepted. */
  readonly keys: readonly SharedKey[];
}

export const ALONE: PairFacts = { local: null, peers: [], keys: [] };

export interface PairFilesOptions {
  readonly files: StoredFiles;
  /** Files of another node have come. */
  readonly onReceived: () => void;
  readonly log: Log;
  readonly port?: number;
}

export class PairFiles {
  readonly #options: PairFilesOptions;
  #facts = ALONE;
  #listener: Deno.TcpListener | null = null;
  #listensOn: string | null = null;
  /** When each peer is to be spoken to, on the clock that never jumps. */
  readonly #dueAt = new Map<string, number>();
  readonly #connections = new Set<Deno.Conn>();
  /** Of them those that others have made. */
  #answering = 0;
  readonly #strangers = new PerSecond();
  /** When it was last told what is wrong, by what is wrong. */
  readonly #told = new Map<string, number>();
  #closed = false;

  constructor(options: PairFilesOptions) {
    this.#options = options;
  }

  /** Called often: who there is now. */
  update(facts: PairFacts): void {
    if (this.#closed) return;
    const { local, peers } = this.#facts = facts.keys.length === 0 ? ALONE : facts;
    if (local !== this.#listensOn) this.#listen(local);
    const addresses = peers.map(({ address }) => address);
    for (const address of this.#dueAt.keys()) if (!addresses.includes(address)) this.#dueAt.delete(address);
    const now = performance.now();
    for (const { node, address } of peers) {
      if ((this.#dueAt.get(address) ?? -Infinity) > now) continue;
      this.#dueAt.set(address, now + AGAIN_MS);
      void this.#speakTo(node, address);
    }
  }

  /** A file of ours is another: every peer is to hear of it. */
  changed(): void {
    this.#dueAt.clear();
    this.update(this.#facts);
  }

  close(): void {
    this.#closed = true;
    this.#facts = ALONE;
    this.#listen(null);
    for (const conn of this.#connections) closed(conn);
  }

  /** Tried again with the next `update` when it fails: the address may just be coming. */
  #listen(local: string | null): void {
    this.#listener?.close();
    this.#listener = this.#listensOn = null;
    if (local === null) return;
    try {
      const { port = PORT } = this.#options;
      this.#listener = Deno.listen({ hostname: local, port });
      this.#listensOn = local;
      void this.#serve(this.#listener);
    } catch (error) {
      this.#complain("cannot listen for other nodes", local, error);
    }
  }

  async #serve(listener: Deno.TcpListener): Promise<void> {
    while (listener === this.#listener) {
      try {
        const conn = await listener.accept();
        void this.#take(conn);
      } catch (error) {
        if (listener !== this.#listener) return;
        // The other end was gone before it was accepted: no reason to let the others wait.
        if (error instanceof Deno.errors.NotConnected) continue;
        this.#complain("cannot accept connections of other nodes", "", error);
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    }
  }

  /** A peer may come by an address that it does not advertise: strangers are few a second, as each may cost a key exchange. */
  async #take(conn: Deno.Conn): Promise<void> {
    const address = formatAddress(conn.remoteAddr);
    const isPeer = this.#facts.peers.some((peer) => plain(peer.address) === plain(address));
    if (this.#answering >= MOST_AT_ONCE) return closed(conn);
    if (!isPeer && this.#strangers.count(performance.now()) > STRANGERS_A_SECOND) return closed(conn);
    this.#answering++;
    await this.#within(conn, address, () => this.#answer(conn));
    this.#answering--;
  }

  async #speakTo(node: string, address: string): Promise<void> {
    const { port = PORT } = this.#options;
    try {
      const conn = await Deno.connect({
        ...{ hostname: address, port },
        signal: AbortSignal.timeout(EXCHANGE_MS),
      });
      await this.#within(conn, node, () => this.#begin(conn, node));
    } catch (error) {
      this.#complain("cannot reach another node to share certificates", node, error);
    }
  }

  /** Closes the connection in any case, and in time. */
  async #within(conn: Deno.Conn, who: string, exchange: () => Promise<void>): Promise<void> {
    this.#connections.add(conn);
    const timer = setTimeout(() => closed(conn), EXCHANGE_MS);
    try {
      await exchange();
    } catch (error) {
      this.#complain("cannot share certificates with another node", who, error);
    } finally {
      clearTimeout(timer);
      this.#connections.delete(conn);
      closed(conn);
    }
  }

  async #begin(conn: Deno.Conn, node: string): Promise<void> {
    const { files } = this.#options;
    const link = await SealedLink.open(conn, this.#facts.keys[0]!);
    await link.send(JSON.stringify({ have: [...await files.times()] }));
    const { give, want } = readMessage(GIVE, await link.receive());
    await this.#keep(give, node);
    await link.send(JSON.stringify({ give: fitting(await this.#read(want)), want: [] }));
    // Its end says that it has all.
    await link.receive().catch(() => {});
  }

  async #answer(conn: Deno.Conn): Promise<void> {
    const { files } = this.#options;
    const link = await SealedLink.accept(conn, this.#facts.keys);
    const theirs = new Map(readMessage(HAVE, await link.receive()).have);
    const { give, want } = compare(await files.times(), theirs);
    await link.send(JSON.stringify({ give: fitting(await this.#read(give)), want }));
    await this.#keep(readMessage(GIVE, await link.receive()).give, formatAddress(conn.remoteAddr));
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

  /** The same of the same node once a minute: there are few nodes, and few things that can be wrong. */
  #complain(what: string, who: string, error: unknown): void {
    const now = performance.now();
    const about = `${what} ${who}`;
    if (this.#facts === ALONE || now - (this.#told.get(about) ?? -Infinity) < TELL_MS) return;
    this.#told.set(about, now);
    this.#options.log.warning(what, {
      node: who,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

function closed(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is already.
  }
}

/** An IPv6 address without its scope. */
function plain(address: string): string {
  return address.replace(/%.*$/, "");
}

function formatAddress(address: Deno.Addr): string {
  return "hostname" in address ? address.hostname : "?";
}
