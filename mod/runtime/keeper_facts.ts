/** What a keeper knows of a configuration, once it is checked. Types only. */
import type { Drift, LiveChanges, LogLevel } from "../config/live.ts";
import type { KernelPlan } from "../kernel/plan.ts";
import type { BuiltFunction, FilesRead } from "../functions/bundled.ts";
import type { ElectionSettings } from "./election.ts";
import type { ScriptUser } from "./script_user.ts";

/** What the keeper takes from a good configuration: never more than it needs itself. */
export interface KeeperFacts {
  /** Where the admin socket is; a reload does not move it. */
  readonly socketPath: string;
  readonly drainMs: number;
  /** The exec checks by pool. */
  readonly exec: ReadonlyMap<string, { readonly command: readonly string[]; readonly timeoutMs: number }>;
  /** Who the programs of the configuration run as. Without: this process's own user. */
  readonly scriptUser?: ScriptUser;
  /** Where the node answers over TCP; null: nowhere. */
  readonly adminUrl?: string | null;
  /** What is had by ACME; without: there is nothing of that kind. */
  readonly acme?: AcmeFacts;
  /** Without: this node takes part in no election. */
  readonly election?: ElectionSettings;
  /** Without: the kernel forwards nothing. */
  readonly kernel?: KernelPlan;
  /** The names of servers by pool. */
  readonly servers?: ReadonlyMap<string, readonly string[]>;
  /** Of what was to be laid over the file that which is a change, and what it changes. */
  readonly live?: LiveChanges;
  readonly drift?: readonly Drift[];
  /** A reload of this file forgets what was changed live. */
  readonly resetsLive?: boolean;
  /** What is only strange about it. */
  readonly warnings?: readonly string[];
  /** Least level that is logged, with what was changed live. */
  readonly logLevel?: LogLevel;
  /** Sets the log up as it says, once it is in force. */
  readonly setUpLog?: () => void;
  /** Without: there are none. */
  readonly functions?: readonly BuiltFunction[];
}

export interface AcmeFacts {
  /** The directory of files where it is kept. */
  readonly state: string;
  /** The authority's directory. */
  readonly authority: string;
  readonly names: readonly string[];
}

/** What was read of files that may be the reason of problems, where that is known. */
export type Checked = { readonly problems: readonly string[]; readonly files?: FilesRead } | KeeperFacts;
