/**
 * What the control thread and a data worker say to each other. One process, one version, so nothing is checked.
 * Types only.
 */
import type { BreakerState } from "../base/breaker.ts";
import type { SharedMemory } from "../base/shared_memory.ts";
import type { Purge } from "../cache/store.ts";
import type { KeyRing } from "../net/ticket_keys.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Tables } from "./tables.ts";

export type ToWorker =
  /** First of all. `pulse` has a word a worker, in which it beats (see `pulse.ts`). */
  | {
    readonly kind: "init";
    readonly worker: number;
    readonly memory: SharedMemory;
    readonly pulse: SharedArrayBuffer;
    /** For the tickets of TLS, which every worker must take. A secret. */
    readonly ticketKeys: KeyRing;
  }
  /** Another key of the tickets has its turn. */
  | { readonly kind: "ticketKeys"; readonly ring: KeyRing }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot; readonly tables: Tables }
  | { readonly kind: "drain"; readonly deadlineMs: number }
  /** Stored answers are to be forgotten; answered by `purged`. */
  | { readonly kind: "purge"; readonly id: number; readonly purge: Purge }
  /** A batch of the access log is written, or given up. */
  | { readonly kind: "logWritten" }
  /** A batch of spans is taken. */
  | { readonly kind: "spansTaken" };

export type FromWorker =
  /** The snapshot is in force, or, with errors, the one before it still is. */
  | { readonly kind: "applied"; readonly generation: number; readonly errors: readonly string[] }
  /** So many stored answers are forgotten. */
  | { readonly kind: "purged"; readonly id: number; readonly count: number }
  /** No connection is left. */
  | { readonly kind: "drained" }
  /** Something went wrong that cost less than the worker. */
  | { readonly kind: "error"; readonly message: string }
  /** A server was reached and no TLS came of it. At most one a server and second. */
  | { readonly kind: "tlsFailure"; readonly trouble: TlsTrouble }
  /** The breaker of a pool has changed, for all workers. */
  | { readonly kind: "breaker"; readonly pool: string; readonly state: BreakerState }
  /** A TLS handshake failed. Not all are told, the counters know how many. */
  | { readonly kind: "refused"; readonly listener: string; readonly client: string; readonly reason: string }
  /** An error that nobody caught: the worker ends. */
  | { readonly kind: "fatal"; readonly reason: string }
  /** A batch of lines of the access log, answered by `logWritten`. */
  | { readonly kind: "log"; readonly bytes: Uint8Array<ArrayBuffer>; readonly dropped: number }
  /** A batch of spans, one a line, answered by `spansTaken`. */
  | { readonly kind: "spans"; readonly bytes: Uint8Array<ArrayBuffer>; readonly dropped: number };
