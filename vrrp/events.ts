/**
 * The vocabulary of the election: what is told to an instance's machine, and what it wants done.
 *
 * Types only. Times are milliseconds of one monotonic clock, addresses are bytes.
 */
import type { IpBytes } from "../mod/base/address.ts";
import type { CarriedInstance } from "./carried.ts";
import type { PeerHealth } from "./peers.ts";
import type { Version } from "./timing.ts";

/** RFC 9568 section 6.3, and fault: something without which the address is of no use is missing. */
export type State = "initialize" | "backup" | "active" | "fault";

/**
 * The rows of the transition table. A yielding node is still active: it has said that it goes (priority 0) and keeps
 * the address until another has it.
 */
export type Phase = State | "yielding";

/** How often the LAN is told who has the addresses. */
export interface AnnounceConfig {
  /** So many at once: some get lost. */
  readonly times: number;
  /** And again after this, as some switches learn late; 0: not again. */
  readonly againMs: number;
  /** From then on, every so often; 0: no more. */
  readonly refreshMs: number;
  readonly refreshTimes: number;
}

export interface InstanceConfig {
  readonly version: Version;
  /** 1–254, or 255 for the owner of the addresses. */
  readonly priority: number;
  readonly intervalMs: number;
  /** Whether to take the address from a living Active of lower priority; a number: only after so many ms. */
  readonly preempt: boolean | number;
  /** The address that our adverts come from: decides between equal priorities. */
  readonly localAddress: IpBytes;
  /** The virtual addresses, as configured; compared only. */
  readonly addresses: readonly string[];
  readonly announce?: AnnounceConfig;
  /** In a sync group: it does not take over by itself, but says that it could; see sync_group.ts. */
  readonly synced?: boolean;
}

export interface Advert {
  readonly kind: "advert";
  /** 0–255. */
  readonly priority: number;
  readonly intervalMs: number;
  readonly sender: IpBytes;
  /** Number of addresses in the advert. */
  readonly count: number;
  /** From the signed extension; null when the transport has none. */
  readonly node: string | null;
  readonly health: number | null;
}

export type Input =
  | { readonly kind: "start" }
  /** Instead of a start: goes on where the keeper before, on this machine, has stopped. */
  | { readonly kind: "resume"; readonly carried: CarriedInstance }
  /** Clean shutdown. To lose no request, hand over first and stop when the state is no longer active. */
  | { readonly kind: "stop" }
  | Advert
  | { readonly kind: "tick" }
  /** `what` names the fault until it is cleared: "address", "interface eth1". */
  | { readonly kind: "hardFault"; readonly what: string; readonly reason: string }
  | { readonly kind: "faultCleared"; readonly what: string }
  /** The instance's own interface. */
  | { readonly kind: "linkDown" }
  | { readonly kind: "linkUp" }
  /** Own health (soft faults) and the sum of the weights of what is tracked; see track.ts. */
  | {
    readonly kind: "health";
    readonly score: number;
    readonly priorityChange: number;
    readonly reason: string;
  }
  | { readonly kind: "peerHealth" } & PeerHealth
  | { readonly kind: "handOver"; readonly reason: string }
  /** The sync group takes over: be active, also when nothing of this instance's own speaks for it. */
  | { readonly kind: "takeOver"; readonly reason: string }
  /** Another of the sync group goes. `final`: it has gone, so that this one goes even if nobody takes over. */
  | {
    readonly kind: "stepDown";
    readonly reason: string;
    readonly onPurpose: boolean;
    readonly final: boolean;
  }
  | { readonly kind: "maintenance"; readonly on: boolean }
  /** This process stood still for `ms`; told before adverts that queued up meanwhile. */
  | { readonly kind: "stalled"; readonly ms: number }
  /** Someone else removed a virtual address from the interface. */
  | { readonly kind: "addressLost" }
  /** One that was active besides us, and is no peer to us, went silent: clients may still send to it. */
  | { readonly kind: "foreignSilent" }
  | { readonly kind: "reconfigure"; readonly config: InstanceConfig };

export type Action =
  /** Leaves at once, before the actions behind it. */
  | { readonly kind: "sendAdvert"; readonly priority: number; readonly intervalMs: number }
  /** Every configured address, also those that are there already. */
  | { readonly kind: "addAddresses" }
  | { readonly kind: "removeAddresses" }
  /** `times` announcements of every address; rounds count from 1 since the node became active. */
  | { readonly kind: "announce"; readonly round: number; readonly times: number }
  | { readonly kind: "notify"; readonly from: State; readonly to: State; readonly reason: string }
  /**
   * Two Actives met. `won`: we stay. `counts`: it is the first time for as long as they go on, and longer than a
   * take-over explains; it never counts for the loser, as it cannot tell.
   */
  | {
    readonly kind: "conflict";
    readonly sender: IpBytes;
    readonly priority: number;
    readonly won: boolean;
    readonly counts: boolean;
    readonly reason: string;
  }
  /** For the log: something was decided that is no transition. */
  | { readonly kind: "note"; readonly reason: string };
