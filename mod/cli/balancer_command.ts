/** `tandem balancer`, which only the keeper calls. */
// First of all: standard output is the link to the keeper.
import "../runtime/console_io.ts";
import { LISTENER_CAPACITY, POOL_CAPACITY, ROUTE_CAPACITY, SERVER_CAPACITY } from "../base/shared_memory.ts";
import { buildSnapshot } from "../config/build.ts";
import { RowAllocator } from "../config/rows.ts";
import { makeServerId } from "../config/server_id_io.ts";
import { balancer } from "./balancer.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  summary: "",
  usage: "",
  options: {},
  help: "Started by `tandem run`; not to be called by hand.",
  run: () => {
    const rows = new RowAllocator({
      listeners: LISTENER_CAPACITY,
      pools: POOL_CAPACITY,
      servers: SERVER_CAPACITY,
      routes: ROUTE_CAPACITY,
    });
    return balancer((config, options) => buildSnapshot(config, { ...options, rows, makeServerId }));
  },
};
