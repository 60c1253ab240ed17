import type { Config } from "../../mod/config/schema.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import type { Log } from "../../mod/observe/log.ts";
import { Sink } from "../../mod/observe/sink_io.ts";
import { InForce } from "../../mod/runtime/in_force_io.ts";
import { SpanExporter } from "../../mod/runtime/span_exporter_io.ts";
import { assertEquals } from "../assert.ts";
import { poolOf } from "../config/pool.ts";

const BESIDE = {
  version: "",
  names: [],
  acme: { active: false, names: [] },
  startedAt: 0,
  linesDropped: 0,
};

/** A server in the first slot; `behaviour` is what the stand-in of a worker goes by. */
function snapshot(inForce: InForce, behaviour: string, host: string): Snapshot {
  return {
    generation: inForce.nextGeneration(),
    node: behaviour,
    listeners: [],
    pools: [poolOf(host, 80)],
    log: { level: "info", format: "text", access: "off" },
  };
}

Deno.test("InForce() apply() goes back to what ran before, with rows of its own, when a worker refuses", async () => {
  const applied: string[] = [];
  const writer = {
    write: (bytes: Uint8Array) => {
      applied.push(...new TextDecoder().decode(bytes).match(/worker \d applied \d+/g) ?? []);
      return Promise.resolve(bytes.length);
    },
  };
  const silent = () => {};
  const log: Log = { debug: silent, info: silent, warning: silent, error: silent };
  const accessLog = new Sink(writer);
  const inForce = new InForce({
    workerEntry: new URL("./standin_worker.ts", import.meta.url),
    cores: 2,
    accessLog,
    spans: new SpanExporter({ node: "", version: "" }, log),
    execProbe: () => Promise.reject(new Error("there are no checks")),
    onHealth: silent,
    log,
  });
  const requests = () => inForce.status(BESIDE).pools[0]!.servers[0]!.counters.requests;
  inForce.start({ workers: 2 } as Config);
  try {
    assertEquals(await inForce.apply(snapshot(inForce, "count", "10.0.0.1")), []);
    assertEquals(requests(), 2);
    assertEquals(await inForce.apply(snapshot(inForce, "count or refuse", "10.0.0.2")), ["cannot bind"]);
    const { generation, pools } = inForce.snapshot!;
    assertEquals([generation, pools[0]!.servers[0]!.host], [1, "10.0.0.1"]);
    assertEquals(requests(), 2, "none that was counted for the other server");
    await accessLog.flush();
    assertEquals(applied.filter((line) => line.startsWith("worker 1")), [
      "worker 1 applied 1",
      "worker 1 applied 3",
    ]);
  } finally {
    await inForce.drain(0);
  }
});
