/**
 * Where a data worker begins: the console first, then the loop around the real data plane.
 *
 * The entry file of a thread, so it may name parts of any layer.
 */
import "./console_io.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { Dataplane } from "./dataplane_io.ts";
import { serveWorker, type WorkerScope } from "./worker_loop_io.ts";

serveWorker(self as unknown as WorkerScope, (env) => new Dataplane({ ...env, buildTable: buildRouteTable }));
