/**
 * The line between the nodes of a pair: TCP 8112, encrypted, for nodes that share one of the election's keys.
 *
 * It listens on the address that the election speaks from, and speaks to addresses that peers are heard from. What is
 * said it must not know. Bounded in time and number: a stranger takes no place from a peer, and who only reads none from
 * whoever changes something.
 */
import { PerSecond } from "../base/per_second.ts";
import { Places } from "../base/places.ts";
import { reasonOf } from "../base/reason.ts";
import type { Log } from "../observe/log.ts";
import { SealedLink, type SharedKey } from "./sealed_link_io.ts";

/** The election's, of TCP. */
const PORT = 8112;
/** Connections that one peer has made: more than it begins itself, as its ends are noticed late. */
const OF_A_PEER_AT_ONCE = 24;
/** A peer may come by an address that it does not advertise, and each stranger may cost a key exchange. */
const STRANGERS_AT_ONCE = 2;
const STRANGERS_A_SECOND = 5;
/** Until the other has shown that it has the key, and has said what it wants. */
const HELLO_MS = 3000;
/** Conversations with one node that this one has begun. Anybody of the machine may read, and takes no other's place. */
const SPEAKING_AT_ONCE = { reader: 6, operator: 6, files: 4 };
/** One whom we could not speak with is told of so often. */
const TELL_MS = 60_000;
/** Failures to listen in a row that are told of: the keeper before may just be letting go of the address. */
const FAILURES = 4;
/** After a connection that could not be accepted, for want of descriptors say. */
const REST_MS = 100;

/** Who there is, as the election knows it. */
export interface PairFacts {
  /** Our own address; null: there is none, or nothing is shared. */
  readonly local: string | null;
  readonly peers: readonly Peer[];
  /** The first seals, all are accepted. */
  readonly keys: readonly SharedKey[];
}

export interface Peer {
  readonly node: string;
  readonly address: string;
}

export const ALONE: PairFacts = { local: null, peers: [], keys: [] };

/** For whom a conversation is; the nodes have some of their own, about files. */
export type Speaker = keyof typeof SPEAKING_AT_ONCE;

/** What is to be done with a link, and for how long at most. */
export interface Exchange {
  readonly withinMs: number;
  run(link: SealedLink): Promise<void>;
}

export interface PairLineOptions {
  /** What another node wants by what it said first. Throws when that is nothing that this one knows. */
  readonly exchange: (first: string, from: string) => Exchange;
  readonly log: Log;
  readonly port?: number;
}

export class PairLine {
  readonly #options: PairLineOptions;
  #facts = ALONE;
  #listener: Deno.TcpListener | null = null;
  #listensOn: string | null = null;
  #failures = 0;
  readonly #connections = new Set<Deno.Conn>();
  readonly #answering = new Places();
  readonly #speaking = new Places();
  readonly #strangers = new PerSecond();
  /** When it was last told what is wrong, by what is wrong. */
  readonly #told = new Map<string, number>();
  #closed = false;

  constructor(options: PairLineOptions) {
    this.#options = options;
  }

  /** Called often: who there is now. A listener that could not be had is tried again: the address may be coming. */
  update(facts: PairFacts): void {
    if (this.#closed) return;
    const { local } = this.#facts = facts.keys.length === 0 ? ALONE : facts;
    if (local !== this.#listensOn) this.#listen(local);
  }

  /** Speaks with another node. Rejects with why that cannot be. */
  async speak<T>(
    speaker: Speaker,
    address: string,
    withinMs: number,
    use: (link: SealedLink) => Promise<T>,
  ): Promise<T> {
    const [key] = this.#facts.keys;
    if (key === undefined) throw new Error("the election has no keys");
    const leave = this.#speaking.take(`${speaker} ${address}`, SPEAKING_AT_ONCE[speaker]);
    if (leave === null) throw new Error("too many conversations are under way");
    try {
      const conn = await connect(address, this.#options.port ?? PORT, withinMs);
      return await this.#within(conn, withinMs, async () => await use(await SealedLink.open(conn, key)));
    } finally {
      leave();
    }
  }

  /** The same of the same node once a minute: there are few nodes, and few things that can be wrong. */
  complain(what: string, who: string, error: unknown): void {
    const now = performance.now();
    const about = `${what} ${who}`;
    if (this.#facts === ALONE || now - (this.#told.get(about) ?? -Infinity) < TELL_MS) return;
    this.#told.set(about, now);
    this.#options.log.warning(what, { ...who === "" ? {} : { node: who }, reason: reasonOf(error) });
  }

  close(): void {
    this.#closed = true;
    this.#facts = ALONE;
    this.#listen(null);
    for (const conn of this.#connections) closed(conn);
  }

  #listen(local: string | null): void {
    this.#listener?.close();
    this.#listener = this.#listensOn = null;
    if (local === null) return;
    try {
      this.#listener = Deno.listen({ hostname: local, port: this.#options.port ?? PORT });
      this.#listensOn = local;
      this.#failures = 0;
      void this.#serve(this.#listener);
    } catch (error) {
      if (++this.#failures >= FAILURES) this.complain("cannot listen for other nodes", local, error);
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
        this.complain("cannot accept connections of other nodes", "", error);
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    }
  }

  async #take(conn: Deno.Conn): Promise<void> {
    const from = "hostname" in conn.remoteAddr ? conn.remoteAddr.hostname : "?";
    const known = this.#facts.peers.find(({ address }) => plain(address) === plain(from));
    const leave = known === undefined
      ? this.#answering.take("strangers", STRANGERS_AT_ONCE)
      : this.#answering.take(`peer ${known.address}`, OF_A_PEER_AT_ONCE);
    if (leave === null) return closed(conn);
    if (known === undefined && this.#strangers.count(performance.now()) > STRANGERS_A_SECOND) {
      leave();
      return closed(conn);
    }
    try {
      await this.#answer(conn, known?.node ?? from);
    } catch (error) {
      // Of all strangers one is told of: there is no end of addresses.
      if (known !== undefined) this.complain("cannot answer another node", known.node, error);
      else this.complain("cannot answer a stranger", "", new Error(`${from}: ${reasonOf(error)}`));
    } finally {
      leave();
      closed(conn);
    }
  }

  async #answer(conn: Deno.Conn, from: string): Promise<void> {
    const { link, first } = await this.#within(conn, HELLO_MS, async () => {
      const link = await SealedLink.accept(conn, this.#facts.keys);
      return { link, first: await link.receive() };
    }, false);
    const exchange = this.#options.exchange(first, from);
    await this.#within(conn, exchange.withinMs, () => exchange.run(link));
  }

  /** Closes the connection in time, and at the end unless there is more to say. */
  async #within<T>(conn: Deno.Conn, withinMs: number, use: () => Promise<T>, last = true): Promise<T> {
    this.#connections.add(conn);
    let late = false, good = false;
    const timer = setTimeout(() => {
      late = true;
      closed(conn);
    }, withinMs);
    try {
      const result = await use();
      good = true;
      return result;
    } catch (error) {
      throw late ? new Error(`no answer within ${withinMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
      if (last || !good) {
        this.#connections.delete(conn);
        closed(conn);
      }
    }
  }
}

async function connect(hostname: string, port: number, withinMs: number): Promise<Deno.Conn> {
  try {
    return await Deno.connect({ hostname, port, signal: AbortSignal.timeout(Math.min(HELLO_MS, withinMs)) });
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    throw new Error(late ? "nobody answers there" : reasonOf(error));
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
