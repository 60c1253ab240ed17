/**
 * Decides whether a datagram of a peer is fresh, from its incarnation and sequence. One per socket; pure.
 *
 * Within an incarnation the sequence must grow. A new incarnation must be proved: it echoes the nonce we send in every
 * datagram, which nobody could have recorded before we drew it. The nonce is drawn anew with every incarnation that is
 * believed, so it never proves an older life of the same peer, and now and then besides. Only while no echo can be had,
 * for the peer may not hear us, the clocks are asked: within 30 s, later than anything accepted of that peer, and the
 * known incarnation silent. An incarnation once replaced never comes back. So a clock that is hours off costs a peer
 * one exchange of datagrams, not the pair its unity.
 *
 * What it cannot see: datagrams held back in the network and delivered late, in order and only once; and, in a node
 * that has just started and has not heard the peer yet, datagrams recorded at most 30 s ago by that node's clock. It is
 * used after the signature has been verified; without keys it only sorts out duplicates and reordering.
 */
import { type CarriedPeer, type CarriedVoice, fromHex, hex } from "./carried.ts";
import type { DropReason } from "./drops.ts";
import { MAX_ECHOES } from "./extension.ts";

/** How far clocks may differ for a datagram without an echo to be believed. */
export const CLOCK_TOLERANCE_MS = 30_000;
/** A known incarnation that was heard this recently is not replaced on a clock's word. */
export const SILENCE_MS = 3_000;
/** A nonce is drawn anew after this time and good for as long again: four of the longest advert intervals, 40 s. */
export const NONCE_LIFE_MS = 160_000;
/** Peers remembered; VRRP groups are two or three nodes. The longest silent one is forgotten for a new one. */
export const MAX_PEERS = 16;
/** Earlier lives remembered of each peer; the nonce guards against all others. */
const MAX_RETIRED = 32;
/** Incarnations kept that have not been proved; the latest by their own clock, so that recordings push out none. */
const MAX_CANDIDATES = 4;

export interface Stamp {
  readonly node: string;
  readonly incarnation: bigint;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly nonce: bigint;
  readonly echoes: readonly bigint[];
}

/** Why an incarnation is believed: it was before, it answered our nonce, clocks agree, or nothing is signed. */
export type Proof = "known" | "echo" | "clock" | "unsigned";

export type Verdict =
  | {
    readonly fresh: true;
    readonly proof: Proof;
    /** The peer's clock minus ours, as of this datagram. */
    readonly clockOffsetMs: number;
  }
  | { readonly fresh: false; readonly reason: DropReason };

export interface FreshnessOptions {
  readonly node: string;
  readonly incarnation: bigint;
  /** False: no keys, so that nothing can be proved and every incarnation is believed. */
  readonly signed: boolean;
  /** 64 random bits; only unpredictability counts. */
  readonly random64: () => bigint;
}

interface Peer {
  /** Null while none has been proved. */
  incarnation: bigint | null;
  sequence: number;
  /** The peer's latest clock among what was accepted. */
  timestampMs: number;
  nonce: bigint;
  heardAtMs: number;
  readonly retired: bigint[];
  /** Unproved incarnations, the latest first. */
  candidates: readonly Stamp[];
}

export class Freshness {
  readonly #options: FreshnessOptions;
  readonly #peers = new Map<string, Peer>();
  /** The one we send and the one before; the same right after a proof. */
  #nonces: readonly [bigint, bigint];
  #drawnAtMs: number;

  constructor(options: FreshnessOptions, nowMs: number) {
    this.#options = options;
    const nonce = options.random64();
    this.#nonces = [nonce, nonce];
    this.#drawnAtMs = nowMs;
  }

  /** What another process needs to go on with this voice. */
  carried(): Pick<CarriedVoice, "nonces" | "peers"> {
    const peers = [...this.#peers].flatMap(([node, peer]): CarriedPeer[] => {
      const { incarnation, sequence, timestampMs, nonce, retired } = peer;
      if (incarnation === null) return [];
      const proved = { incarnation: hex(incarnation), nonce: hex(nonce), retired: retired.map(hex) };
      return [{ node, sequence, timestampMs, ...proved }];
    });
    return { nonces: [hex(this.#nonces[0]), hex(this.#nonces[1])], peers };
  }

  resume({ nonces, peers }: Pick<CarriedVoice, "nonces" | "peers">, nowMs: number): void {
    this.#nonces = [fromHex(nonces[0]), fromHex(nonces[1])];
    for (const { node, incarnation, sequence, timestampMs, nonce, retired } of peers) {
      const peer = this.#remember(node, nowMs);
      peer.incarnation = fromHex(incarnation);
      peer.sequence = sequence;
      peer.timestampMs = timestampMs;
      peer.nonce = fromHex(nonce);
      peer.retired.push(...retired.map(fromHex));
    }
  }

  /** What the next datagram of ours must carry for peers to echo. */
  nonce(nowMs: number): bigint {
    if (nowMs - this.#drawnAtMs >= NONCE_LIFE_MS) {
      this.#nonces = [this.#options.random64(), this.#nonces[0]];
      this.#drawnAtMs = nowMs;
    }
    return this.#nonces[0];
  }

  /** What the next datagram of ours must echo: those who wait for a proof first. */
  echoes(): bigint[] {
    const peers = [...this.#peers.values()].sort((one, other) => other.heardAtMs - one.heardAtMs);
    const waiting = peers.flatMap((peer) => peer.candidates.map(({ nonce }) => nonce));
    const known = peers.filter((peer) => peer.incarnation !== null).map((peer) => peer.nonce);
    // At least one place for every kind: neither pushes the other out.
    const first = waiting.slice(0, Math.max(MAX_ECHOES / 2, MAX_ECHOES - known.length));
    return [...first, ...known].slice(0, MAX_ECHOES);
  }

  /** Judges one datagram and remembers it when it is fresh. `nowMs` never jumps, `clockMs` is the wall clock. */
  judge(stamp: Stamp, nowMs: number, clockMs: number): Verdict {
    const { node, incarnation } = this.#options;
    if (stamp.incarnation === incarnation) return stale("own");
    if (stamp.node === node) return stale("twin");
    const peer = this.#peers.get(stamp.node) ?? this.#remember(stamp.node, nowMs);
    const proof = this.#proof(peer, stamp, nowMs, clockMs);
    if (typeof proof !== "string") return proof;
    if (proof !== "known") this.#adopt(peer, stamp, nowMs);
    peer.sequence = stamp.sequence;
    peer.timestampMs = Math.max(peer.timestampMs, stamp.timestampMs);
    peer.nonce = stamp.nonce;
    peer.heardAtMs = nowMs;
    return { fresh: true, proof, clockOffsetMs: stamp.timestampMs - clockMs };
  }

  #proof(peer: Peer, stamp: Stamp, nowMs: number, clockMs: number): Proof | Verdict {
    if (peer.incarnation === stamp.incarnation) {
      if (stamp.sequence > peer.sequence) return "known";
      return stale(stamp.sequence === peer.sequence ? "replayed" : "stale");
    }
    if (peer.retired.includes(stamp.incarnation)) return stale("replayed");
    if (!this.#options.signed) return "unsigned";
    if (stamp.echoes.some((echo) => this.#nonces.includes(echo))) return "echo";
    const silent = peer.incarnation === null || nowMs - peer.heardAtMs >= SILENCE_MS;
    const near = Math.abs(stamp.timestampMs - clockMs) <= CLOCK_TOLERANCE_MS;
    if (silent && near && stamp.timestampMs > peer.timestampMs) return "clock";
    // A recording of the same life must not put back the nonce that is to be echoed.
    const before = peer.candidates.find((other) => other.incarnation === stamp.incarnation);
    const latest = before !== undefined && before.sequence >= stamp.sequence ? before : stamp;
    peer.candidates = [latest, ...peer.candidates.filter((other) => other !== before)]
      .sort((one, other) => other.timestampMs - one.timestampMs).slice(0, MAX_CANDIDATES);
    return stale("unproved");
  }

  #adopt(peer: Peer, stamp: Stamp, nowMs: number): void {
    if (peer.incarnation !== null) peer.retired.push(peer.incarnation);
    if (peer.retired.length > MAX_RETIRED) peer.retired.shift();
    peer.incarnation = stamp.incarnation;
    peer.candidates = peer.candidates.filter((other) => other.incarnation !== stamp.incarnation);
    const nonce = this.#options.random64();
    this.#nonces = [nonce, nonce];
    this.#drawnAtMs = nowMs;
  }

  #remember(node: string, nowMs: number): Peer {
    if (this.#peers.size >= MAX_PEERS) {
      const silent = [...this.#peers].reduce((one, other) =>
        other[1].heardAtMs < one[1].heardAtMs ? other : one
      );
      this.#peers.delete(silent[0]);
    }
    const peer: Peer = {
      incarnation: null,
      sequence: 0,
      timestampMs: -1,
      nonce: 0n,
      heardAtMs: nowMs,
      retired: [],
      candidates: [],
    };
    this.#peers.set(node, peer);
    return peer;
  }
}

function stale(reason: DropReason): Verdict & { fresh: false } {
  return { fresh: false, reason };
}
