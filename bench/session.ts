/**
 * What a proxied request costs in our own code: a whole data worker over connections that are only memory.
 *
 * `Deno.listen` and `Deno.connect` are replaced before the data plane is made, so that everything above the
 * operations of a socket runs as in the product, and nothing else does. Counted is the time of one thread on its
 * processor, and the least of several rounds shown. `log`: with the access log; `rules`: with header rules.
 */
import { makeTlsEngine, newTicketKeys } from "../mod/net/tls_engine_io.ts";
import { CONTROL_THREAD, createSharedMemory, openSharedMemory } from "../mod/base/shared_memory.ts";
import { buildSnapshot } from "../mod/config/build.ts";
import { makeServerId } from "../mod/config/server_id_io.ts";
import { RowAllocator } from "../mod/config/rows.ts";
import type { Snapshot } from "../mod/config/snapshot.ts";
import { Dataplane } from "../mod/runtime/dataplane_io.ts";
import { TableKeeper } from "../mod/runtime/table_keeper.ts";
import { buildRouteTable } from "../routes/table.ts";
import { good } from "../tests/config/reading.ts";
import { tandemConfig } from "./products_io.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const CLIENTS = 64;
const ROWS = { servers: 2, listeners: 1, pools: 1 };
const ROUNDS = 12;
const REQUESTS = 100_000;
/** After so many requests timers get their turn. */
const TURN = 2000;
/** Microtasks between the bytes of one event and the next read: the runtime's and ours. */
const SETTLE = 4;

const encoder = new TextEncoder();
/** As wrk asks. */
const REQUEST = encoder.encode("GET /small HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
/** As nginx answers. */
const ANSWER = encoder.encode(
  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n" +
    "Content-Type: text/plain\r\nContent-Length: 20\r\nConnection: keep-alive\r\n\r\nhello from a server\n",
);

let answered = 0;
/** Connections that have something to read. */
let ready: MemoryConn[] = [];

/** One end of a connection whose other end answers every write with `reply`. */
class MemoryConn {
  readonly remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 40000 };
  #into: Uint8Array | null = null;
  #resolve: (size: number) => void = () => {};

  constructor(readonly reply: Uint8Array, readonly counts: boolean) {}

  setNoDelay(): void {}
  close(): void {}

  read(into: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      this.#into = into;
      this.#resolve = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.counts) answered++;
    ready.push(this);
    return Promise.resolve(bytes.length);
  }

  deliver(): void {
    this.#into!.set(this.reply);
    this.#resolve(this.reply.length);
  }
}

function replaceSockets(): void {
  const clients = Array.from({ length: CLIENTS }, () => new MemoryConn(REQUEST, true));
  ready.push(...clients);
  Object.assign(Deno, {
    listen: () => ({
      addr: { port: 1 },
      accept: () => Promise.resolve(clients.pop() ?? new Promise(() => {})),
      close() {},
    }),
    connect: () => Promise.resolve(new MemoryConn(ANSWER, false)),
  });
}

/** The configuration that the benchmark over sockets gives to Tandem. */
async function snapshot(scenario: Scenario): Promise<Snapshot> {
  const text = tandemConfig(scenario, {
    ports: [8081, 8082],
    tlsPorts: [],
    busyPort: 0,
    authority: "",
    files: ".",
  }, [
    8080,
  ]);
  return buildSnapshot(await good(text), {
    generation: 1,
    node: "bench",
    directory: ".",
    rows: new RowAllocator(ROWS),
    resolve: (_pool, index) => [{ host: "127.0.0.1", port: 8081 + index }],
    makeServerId,
  });
}

/** Time on the processor of this thread alone, so that what else the machine does matters little. */
function threadMicroseconds(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1000;
}

async function round(): Promise<number> {
  const until = answered + REQUESTS;
  const start = threadMicroseconds();
  while (answered < until) {
    const turn = answered + TURN;
    while (answered < turn) {
      const now = ready;
      ready = [];
      for (const conn of now) conn.deliver();
      for (let i = 0; i < SETTLE; i++) await null;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  return (threadMicroseconds() - start) / REQUESTS;
}

const name = ["log", "rules"].find((each) => each === Deno.args[0]) ?? "small";
const scenario = SCENARIOS.find((each) => each.name === name)!;
replaceSockets();
const memory = createSharedMemory({ workers: 1, ...ROWS });
const control = openSharedMemory(memory, CONTROL_THREAD);
for (const slot of [0, 1]) control.slots.assign(slot, 256, true);
const dataplane = new Dataplane({
  worker: 0,
  memory,
  buildTable: buildRouteTable,
  engine: "deno",
  makeTls: (buffers) => makeTlsEngine({ buffers, ticketKeys: newTicketKeys() }),
  onRefused() {},
  log: () => queueMicrotask(() => dataplane.logWritten()),
  onError: (error) => console.error(error),
});
const built = await snapshot(scenario);
const { errors } = await dataplane.apply(built, new TableKeeper(1, Math.random).prepare(built, Date.now()));
if (errors.length > 0) throw new Error(errors.join("; "));
await new Promise((resolve) => setTimeout(resolve, 50));
const times: number[] = [];
for (let i = 0; i < ROUNDS; i++) times.push(await round());
console.log(
  `${Math.min(...times).toFixed(3)} µs a request (${times.map((each) => each.toFixed(2)).join(" ")})`,
);
Deno.exit(0);
