/**
 * Where a data worker begins: the console first, then the loop around the real data plane.
 *
 * The entry file of a thread, so it may name parts of any layer.
 */
import "./console_io.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { tlsMaker } from "../net/tls_acceptor_io.ts";
import { Dataplane } from "./dataplane_io.ts";
import { serveWorker, type WorkerScope } from "./worker_loop_io.ts";

serveWorker(self as unknown as WorkerScope, (env) => {
  const engine = Deno.env.get("TANDEM_ENGINE") ?? "";
  const dataplane = new Dataplane({ ...env, buildTable: buildRouteTable, makeTls: tlsMaker(), engine });
  // What it needs of libc is loaded now, and this thread loads nothing else.
  Deno.permissions.revokeSync({ name: "ffi" });
  return dataplane;
});
