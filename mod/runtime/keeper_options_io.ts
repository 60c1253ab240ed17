/** What a keeper is made with. */
import type { Log } from "../observe/log.ts";
import type { AdminApp } from "./admin_server_io.ts";
import type { ConfigurationsOptions } from "./configurations_io.ts";
import type { Desk } from "./desk.ts";
import type { Predecessor } from "./predecessor_io.ts";
import type { Program } from "./programs_io.ts";
import type { ServiceManager } from "./sdnotify_io.ts";

export interface KeeperOptions {
  readonly version: string;
  readonly node: string;
  readonly context: string | null;
  /** The configuration file, for messages. */
  readonly file: string;
  readonly read: ConfigurationsOptions["read"];
  readonly check: ConfigurationsOptions["check"];
  readonly plan: ConfigurationsOptions["plan"];
  /** Makes the API of the admin socket. */
  readonly makeApi: (desk: Desk) => AdminApp;
  readonly balancer: Program;
  /** One process of a function that may connect to these hosts. */
  readonly functionProgram: (net: readonly string[]) => Program;
  /** The program that takes over in an upgrade; null: this node cannot be upgraded. */
  readonly successor?: Program | null;
  /** The keeper that this one takes over from; absent or null: it is the first. */
  readonly predecessor?: Predecessor | null;
  readonly log: Log;
  /** The service manager that started this node; absent or null: none did. */
  readonly service?: ServiceManager | null;
}
