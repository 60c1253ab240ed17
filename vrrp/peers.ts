/**
 * What the peers' reports say of their health, as far as the election needs it: is one of them better off than we?
 *
 * Only a fresh report counts, and only one that came after we became worse: until then the peer may have been looking
 * at the same broken server without knowing it. It knows no signatures and no sockets.
 */

import { STEADY_MS } from "./holddown.ts";

/** Health of a node with nothing to complain of. */
export const FULL_HEALTH = 100;
/** Reports come every max(interval, this). */
export const REPORT_MS = 250;
/** Two reports may get lost. */
const FRESH_REPORTS = 3;
/** More nodes than this share no address; a bound for what the network can make us keep. */
const MAX_PEERS = 64;

export interface PeerHealth {
  readonly node: string;
  /** 0–100; 100: nothing to complain of. */
  readonly score: number;
  /** It takes part in the election: neither in fault nor in maintenance. */
  readonly able: boolean;
  /** It was backup; absent: it was not, or that is not told. */
  readonly standby?: boolean;
  /** When the report arrived, in this node's time. */
  readonly at: number;
}

export interface KnownPeer extends PeerHealth {
  /** Since when its reports have said the same, without a long silence. */
  readonly since: number;
}

export class Peers {
  readonly #peers = new Map<string, KnownPeer>();

  record(peer: PeerHealth): void {
    const before = this.#peers.get(peer.node);
    const same = before !== undefined && before.score === peer.score && before.able === peer.able &&
      peer.at - before.at < STEADY_MS;
    this.#peers.delete(peer.node);
    if (this.#peers.size >= MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
    this.#peers.set(peer.node, { ...peer, since: same ? before.since : peer.at });
  }

  /** True when that node has told, since `since`, that it is backup. */
  wasStandby(node: string | null, since: number): boolean {
    const peer = node === null ? undefined : this.#peers.get(node);
    return peer?.standby === true && peer.at >= since;
  }

  health(node: string | null): number | null {
    return node === null ? null : this.#peers.get(node)?.score ?? null;
  }

  /**
   * The best able peer that is better off than `score`, by a report that arrived after `since` and is still fresh
   * at `now`; null: there is none.
   */
  better(score: number, since: number, now: number, intervalMs: number): KnownPeer | null {
    const oldest = now - FRESH_REPORTS * Math.max(intervalMs, REPORT_MS);
    let best: KnownPeer | null = null;
    for (const peer of this.#peers.values()) {
      if (!peer.able || peer.at <= since || peer.at < oldest || peer.score <= (best?.score ?? score)) {
        continue;
      }
      best = peer;
    }
    return best;
  }
}
