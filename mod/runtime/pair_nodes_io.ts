/**
 * The other nodes of the elections that this one takes part in: who they are, and what goes over the line to them.
 *
 * It goes by the first instance that has keys. Without keys nothing is shared, and nobody can be asked.
 */
import type { InstanceStatus } from "../observe/election_status.ts";
import type { Log } from "../observe/log.ts";
import type { AdminApp } from "./admin_server_io.ts";
import type { ElectionSettings } from "./election.ts";
import { PairFiles } from "./pair_files_io.ts";
import { ALONE, type Exchange, type PairFacts, PairLine, type Peer } from "./pair_line_io.ts";
import { noAnswer, type Nodes, PEER_REQUEST, type PeerAnswer, type PeerRequest } from "./peer_request.ts";
import { PeerRequests } from "./peer_requests_io.ts";
import type { SharedKey } from "./sealed_link_io.ts";
import type { StoredFiles } from "./stored_files_io.ts";

/** With files a peer that has not been heard for so long is not called. */
const SILENT_MS = 10_000;
const LOOK_MS = 500;

export interface PairNodesOptions {
  /** This node's name, and the program's version. */
  readonly node: string;
  readonly version: string;
  /** The instances at work here; none: another process has the node. */
  readonly election: () => readonly InstanceStatus[];
  readonly api: () => AdminApp;
  /** What is shared. */
  readonly files: StoredFiles;
  /** Files of another node have come. */
  readonly onReceived: () => void;
  readonly log: Log;
}

export class PairNodes {
  readonly #options: PairNodesOptions;
  readonly #line: PairLine;
  readonly #files: PairFiles;
  readonly #requests: PeerRequests;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The first instance with keys, and these; null: nothing is shared. */
  #shared: { readonly instance: string; readonly keys: readonly SharedKey[] } | null = null;
  /** Those that the configuration names as owners. */
  #owners: readonly string[] = [];

  constructor(options: PairNodesOptions) {
    const { node, api, files, onReceived, log } = this.#options = options;
    const line = this.#line = new PairLine({ exchange: (first, from) => this.#exchange(first, from), log });
    this.#files = new PairFiles({ files, line, onReceived, log });
    this.#requests = new PeerRequests({ line, node, api });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Nodes of which one may not have been heard yet are known by being owners. */
  configure({ instances, owners = [] }: ElectionSettings): void {
    const signed = instances.find(({ segment }) => segment.keys.length > 0);
    this.#owners = owners;
    this.#shared = signed === undefined ? null : { instance: signed.runner.name, keys: signed.segment.keys };
    this.#look();
  }

  /** True when other nodes get what is to be shared. */
  get shares(): boolean {
    return this.#shared !== null;
  }

  /** A file is another: every peer is to hear of it. */
  changed(): void {
    this.#files.changed();
  }

  nodes(): Nodes {
    const { node: own } = this.#options;
    const heard = this.#instance()?.peers.map(({ node }) => node) ?? [];
    const others = [...new Set([...this.#owners, ...heard])].filter((name) => name !== own);
    return { own, others };
  }

  /** Asks another node by its name. Never rejects. */
  async ask(node: string, request: PeerRequest): Promise<PeerAnswer> {
    const { others } = this.nodes();
    if (!others.includes(node)) {
      const known = others.length === 0 ? "no other node is known" : `there is ${others.join(", ")}`;
      return noAnswer(404, `there is no node ${node}: ${known}`);
    }
    if (!PEER_REQUEST.safeParse(request).success) {
      return noAnswer(413, "that is too long, or not what another node can be asked");
    }
    if (this.#shared === null) {
      return noAnswer(409, "nodes ask each other only where the election has keys (vrrp.instances[].keys)");
    }
    const peer = this.#facts().peers.find((one) => one.node === node);
    if (peer === undefined) {
      return noAnswer(502, `node ${node} has not been heard since this one was started`);
    }
    return await this.#requests.ask(node, peer.address, request, this.#hintOf(node));
  }

  /** What another version says may not be understood. */
  #hintOf(node: string): string {
    const { version } = this.#options;
    const theirs = this.#instance()?.peers.find((one) => one.node === node)?.version ?? version;
    return theirs === version ? "" : ` (it has version ${theirs}, this one ${version})`;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#line.close();
  }

  #look(): void {
    const facts = this.#facts();
    this.#line.update(facts);
    const living = this.#instance()?.peers.filter(({ silentMs }) => silentMs < SILENT_MS) ?? [];
    const near = facts.peers.filter(({ node }) => living.some((one) => one.node === node));
    this.#files.update(this.#options.files.directory === null ? [] : near);
  }

  #exchange(first: string, from: string): Exchange {
    const said: unknown = JSON.parse(first);
    const { directory } = this.#options.files;
    const wanted = this.#requests.exchange(said, from) ??
      (directory === null ? null : this.#files.exchange(said, from));
    if (wanted === null) throw new Error("it wants what this node does not understand, or does not share");
    return wanted;
  }

  #instance(): InstanceStatus | undefined {
    const shared = this.#shared;
    return shared === null
      ? undefined
      : this.#options.election().find(({ name }) => name === shared.instance);
  }

  #facts(): PairFacts {
    const here = this.#instance();
    if (this.#shared === null || here === undefined) return ALONE;
    const scoped = (address: string) =>
      address.startsWith("fe80:") ? `${address}%${here.interface}` : address;
    return {
      local: here.local === null ? null : scoped(here.local),
      peers: here.peers.map(({ node, address }): Peer => ({ node, address: scoped(address) })),
      keys: this.#shared.keys,
    };
  }
}
