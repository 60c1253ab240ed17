/**
 * What the keeper says of itself and of what is its own: the model behind `keeper` of the API, `/status` on the admin
 * socket and the first lines of `tandem status`. Plain data; a point in time is milliseconds since 1970.
 */
import type { Drift, LogLevel } from "../config/live.ts";
import type { ElectionStatus } from "./election_status.ts";
import type { KernelStatus } from "./kernel_status.ts";

export interface KeeperStatus {
  readonly pid: number;
  readonly node: string;
  readonly version: string;
  /** The configuration's. */
  readonly file: string;
  readonly uptimeMs: number;
  /** Of the configuration in force; null: none is yet. */
  readonly generation: number | null;
  readonly reloading: boolean;
  /** The last reload, when it was refused. */
  readonly refused: { readonly at: number; readonly problems: readonly string[] } | null;
  /** What is not as the file says, since somebody changed it live. */
  readonly drift: readonly Drift[];
  /** Least level that is logged. */
  readonly logLevel: LogLevel;
  readonly upgrading: boolean;
  /** Where the node answers over TCP; null: nowhere. */
  readonly adminUrl: string | null;
  readonly balancer: BalancerStatus;
  readonly functions: readonly FunctionStatus[];
  readonly vrrp: ElectionStatus;
  readonly kernel: KernelStatus;
}

export interface FunctionStatus {
  readonly name: string;
  /** As the configuration has it. */
  readonly module: string;
  readonly processes: readonly {
    /** Null: it is about to be started anew. */
    readonly pid: number | null;
    /** Where it serves; null: it does not. */
    readonly port: number | null;
    readonly restarts: number;
    readonly lastDeath: string | null;
  }[];
}

export interface BalancerStatus {
  /** As its supervisor calls it: `running`, `starting` … */
  readonly state: string;
  readonly pid: number | null;
  readonly restarts: number;
  readonly lastDeath: string | null;
  /** Lines of it that were no messages. */
  readonly badLines: number;
  /** How late its last heartbeat was; null: none came. */
  readonly lagMs: number | null;
  readonly counters: Readonly<Record<string, number | string>> | null;
  readonly pools: Readonly<Record<string, { readonly healthy: number; readonly servers: number }>>;
}
