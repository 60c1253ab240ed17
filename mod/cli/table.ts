/**
 * The commands by name. Each is loaded only when it is called, so that a balancer does not load what only the
 * command line needs.
 */
import type { Command } from "./command.ts";

export interface Entry {
  readonly summary: string;
  /** Called by the program itself, not by people. */
  readonly hidden?: boolean;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: { summary: "run this node", load: () => import("./run_command.ts") },
  check: {
    summary: "check a configuration and show every problem",
    load: () => import("./check_command.ts"),
  },
  import: {
    summary: "convert a configuration of keepalived",
    load: () => import("./import_command.ts"),
  },
  demo: {
    summary: "balance over three embedded servers, no file needed",
    load: () => import("./demo_command.ts"),
  },
  status: { summary: "show what a running node does", load: () => import("./status_command.ts") },
  drain: { summary: "give a server nothing new", load: () => import("./drain_command.ts") },
  ready: { summary: "give a server traffic again", load: () => import("./ready_command.ts") },
  maint: {
    summary: "give a server nothing at all, and leave it unchecked",
    load: () => import("./maint_command.ts"),
  },
  weight: { summary: "set a server's share of the traffic", load: () => import("./weight_command.ts") },
  server: {
    summary: "add and remove servers, or go back to the file",
    load: () => import("./server_command.ts"),
  },
  sessions: {
    summary: "show or forget the sessions in the table of a pool",
    load: () => import("./sessions_command.ts"),
  },
  cache: {
    summary: "show how much the cache holds, or forget stored answers",
    load: () => import("./cache_command.ts"),
  },
  certificates: {
    summary: "show the certificates, renew one or forget it",
    load: () => import("./certificates_command.ts"),
  },
  vip: {
    summary: "move an address to another node, or clean up after a crash",
    load: () => import("./vip_command.ts"),
  },
  reload: {
    summary: "read the configuration of a running node again",
    load: () => import("./reload_command.ts"),
  },
  plan: {
    summary: "show what a reload would change, and what it costs",
    load: () => import("./plan_command.ts"),
  },
  upgrade: {
    summary: "have the installed program take over from the running one",
    load: () => import("./upgrade_command.ts"),
  },
  log: { summary: "log more, or less", load: () => import("./log_command.ts") },
  maintenance: {
    summary: "keep a node out of every election",
    load: () => import("./maintenance_command.ts"),
  },
  doctor: {
    summary: "see whether this machine can do what the configuration asks of it",
    load: () => import("./doctor_command.ts"),
  },
  schema: {
    summary: "print the JSON Schema of the configuration",
    load: () => import("./schema_command.ts"),
  },
  completion: {
    summary: "print what completes the command line in a shell",
    load: () => import("./completion_command.ts"),
  },
  version: { summary: "print the version", load: () => import("./version_command.ts") },
  balancer: { summary: "", hidden: true, load: () => import("./balancer_command.ts") },
  function: { summary: "", hidden: true, load: () => import("./function_command.ts") },
  bundle: { summary: "", hidden: true, load: () => import("./bundle_command.ts") },
};
