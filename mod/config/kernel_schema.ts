/**
 * The schema of what the kernel forwards: settings of a listener with `forward: nat` or `dsr`, and of the node. Pure.
 */
import { z } from "zod";
import { choice, duration, flag, integer, interfaceName } from "./fields.ts";

/** Entries of a set in the kernel; HAProxy's stick tables have no default, LVS's no limit. */
const DEFAULT_ENTRIES = 65_536;

export const KernelListenerSchema = z.strictObject({
  masquerade: flag().prefault(true).describe(
    "Servers see this node's address, and answer it from anywhere. `false`: they see the client's, and must have the " +
      "listener's address (or this node) as their gateway. (nat)",
  ),
  persist: duration(1000).optional().describe(
    "A client's address goes to the same server until it has made no connection for so long. Without: it is not " +
      "remembered. (nat)",
  ),
  persistEntries: integer(1, 1_000_000).prefault(DEFAULT_ENTRIES).describe(
    "Most clients that are remembered for one server; more are balanced without being remembered. (nat)",
  ),
  whenServerDown: choice("keep", "reset").prefault("keep").describe(
    "What becomes of open connections to a server that a health check takes out: `keep` leaves them to themselves, " +
      "`reset` ends them. (nat)",
  ),
  interface: interfaceName().optional().describe(
    "Where packets come in and servers are. Without: the interface of the instance that has the address. (dsr)",
  ),
});

export const KernelSchema = z.strictObject({
  onExit: choice("remove", "keep").prefault("remove").describe(
    "What becomes of the rules when Tandem ends: `keep` has the kernel go on forwarding until the next start, as " +
      "servers were last found.",
  ),
});
