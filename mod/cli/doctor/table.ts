/** The checks of `tandem doctor`, in the order in which they are told. A check is a function and a line here. */
import type { Finding } from "./finding.ts";
import { certificates, clock, disk, names, service } from "./host_io.ts";
import type { Machine } from "./machine_io.ts";
import { conntrackd, firewall, keepalived, ports } from "./neighbours_io.ts";
import { admin, forwarding, interfaces, settings, strangeBinds } from "./network_io.ts";
import { node, peers } from "./node_io.ts";
import { files, rights, runtime, tools } from "./program_io.ts";

/** Looks, and changes nothing. */
export type Check = (machine: Machine) => readonly Finding[] | Promise<readonly Finding[]>;

export const CHECKS: readonly Check[] = [
  runtime,
  tools,
  rights,
  files,
  clock,
  disk,
  service,
  node,
  peers,
  ports,
  strangeBinds,
  admin,
  interfaces,
  firewall,
  keepalived,
  settings,
  forwarding,
  conntrackd,
  names,
  certificates,
];
