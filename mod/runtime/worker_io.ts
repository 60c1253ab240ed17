/**
 * Where a data worker begins: the console first, then the loop around the real data plane.
 *
 * The entry file of a thread, so it may name parts of any layer.
 */
import "./console_io.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { makeTlsEngine } from "../net/tls_engine_io.ts";
import { Dataplane } from "./dataplane_io.ts";
import { serveWorker, type WorkerScope } from "./worker_loop_io.ts";

serveWorker(self as unknown as WorkerScope, (env) => {
  const engine = Deno.env.get("TANDEM_ENGINE") ?? "";
  const prefer = Deno.env.get("TANDEM_TLS") ?? "";
  const dataplane = new Dataplane({
    ...env,
    buildTable: buildRouteTable,
    makeTls: (buffers) => makeTlsEngine({ buffers, ticketKeys: env.ticketKeys, prefer }),
    engine,
  });
  // libc and OpenSSL are loaded: nothing else will be, whatever a client finds wrong with what reads its bytes.
  Deno.permissions.revokeSync({ name: "ffi" });
  return dataplane;
});
