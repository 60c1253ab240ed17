/** Tandem as the subject of conformance cases: a data plane in this process, two listeners, one server. */
import { createSharedMemory, openSharedMemory } from "../../mod/base/shared_memory.ts";
import type { ListenerSnapshot, Snapshot } from "../../mod/config/snapshot.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import { Dataplane } from "../../mod/runtime/dataplane_io.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { assertEquals } from "../assert.ts";
import { poolOf } from "../config/pool.ts";
import { LISTENER_TIMEOUTS } from "../config/timeouts.ts";
import type { Subject } from "./http1_runner.ts";
import { type Message, values } from "./http_text.ts";

/** What the case of a body that is too large counts on. */
const BODY_LIMIT_BYTES = 1_000_000;

export interface RunningSubject extends Subject {
  /** What went wrong inside. */
  readonly errors: unknown[];
  close(): Promise<void>;
}

/** Starts a data plane before the server on `serverPort`. */
export async function startTandem(serverPort: number, engine = ""): Promise<RunningSubject> {
  const memory = createSharedMemory({ workers: 1, servers: 4, listeners: 4, pools: 4 });
  openSharedMemory(memory, 0).slots.assign(0, 256, true);
  const errors: unknown[] = [];
  const plane: Dataplane = new Dataplane({
    worker: 0,
    memory,
    buildTable: buildRouteTable,
    engine,
    makeTls: (buffers) => makeTlsEngine({ buffers, ticketKeys: newTicketKeys() }),
    onRefused() {},
    log: () => plane.logWritten(),
    onError: (error) => errors.push(error),
  });
  assertEquals(await plane.apply(snapshot(serverPort)), { errors: [] });
  return {
    address: { hostname: "127.0.0.1", port: plane.port("web") },
    trustedAddress: { hostname: "127.0.0.2", port: plane.port("trusted") },
    checkRequest,
    errors,
    close: () => plane.close(),
  };
}

/** What every request of Tandem's is, whatever came in. */
function checkRequest(request: Message): string[] {
  const problems: string[] = [];
  if (!/^[!-~]+ (\/[!-~]*|\*) HTTP\/1\.1$/.test(request.first)) problems.push(`it sent ${request.first}`);
  for (
    const name of ["Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "X-Request-Id"]
  ) {
    const found = values(request, name);
    if (found.length !== 1 || found[0] === "") problems.push(`it sent ${name} ${JSON.stringify(found)}`);
  }
  if (!values(request, "Via").some((value) => /^1\.[01] tandem$/.test(value))) {
    problems.push("it sent no Via");
  }
  for (const name of ["Keep-Alive", "Proxy-Connection", "TE", "HTTP2-Settings"]) {
    if (values(request, name).length > 0) problems.push(`it sent ${name}`);
  }
  if (values(request, "Connection").some((value) => value !== "Upgrade")) problems.push("it sent Connection");
  return problems;
}

function listener(name: string, row: number, host: string, trustedProxies: string[]): ListenerSnapshot {
  return {
    name,
    row,
    binds: [{ host, port: 0 }],
    protocol: "http",
    trustedProxies,
    timeouts: LISTENER_TIMEOUTS,
    limits: { head: 16 * 1024, headers: 100, body: BODY_LIMIT_BYTES, bodyRate: 0, connections: 0 },
    tls: null,
    hsts: "",
    routes: [{
      match: { hosts: [], methods: [], headers: [], query: [] },
      action: { kind: "pool", pool: "app" },
    }],
  };
}

function snapshot(serverPort: number): Snapshot {
  return {
    generation: 1,
    node: "test",
    // One address each, as a data plane binds an address and port only once; the client has 127.0.0.1 for both.
    listeners: [listener("web", 0, "127.0.0.1", []), listener("trusted", 1, "127.0.0.2", ["127.0.0.0/8"])],
    pools: [poolOf("127.0.0.1", serverPort)],
    log: { level: "info", format: "text", access: "json" },
  };
}
