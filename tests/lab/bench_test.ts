/** The benchmark compares like with like: every product comes up in every scenario and gives the servers' answers. */
import { assert, assertEquals } from "../assert.ts";
import { type Backends, sampleText, startBackends } from "../../bench/backends_io.ts";
import { churn } from "../../bench/churn_io.ts";
import { cpuMicroseconds, memoryBytes, openFiles } from "../../bench/process_io.ts";
import { type ProductName, startProduct } from "../../bench/products_io.ts";
import { type Scenario, SCENARIOS } from "../../bench/scenarios.ts";
import { labTest } from "./tools.ts";

const PEERS: readonly ProductName[] = ["haproxy", "nginx"];

async function withBackends(use: (backends: Backends, directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-lab-" });
  const backends = await startBackends(directory);
  try {
    await use(backends, directory);
  } finally {
    await backends.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Status and body of what a scenario asks for. */
async function ask(
  url: string,
  { upload, tls }: Scenario,
): Promise<[status: number, body: string]> {
  const body = "x".repeat(upload);
  if (tls) {
    const curl = new Deno.Command("curl", { args: ["-sk", "-w", "%{http_code}", url] });
    const text = new TextDecoder().decode((await curl.output()).stdout);
    return [Number(text.slice(-3)), text.slice(0, -3)];
  }
  const client = Deno.createHttpClient({});
  const answer = await fetch(url, upload > 0 ? { method: "POST", body, client } : { client });
  const text = await answer.text();
  client.close();
  return [answer.status, text];
}

const ANSWERS: Readonly<Record<string, string>> = {
  "/small": "hello from a server\n",
  "/10k": "x".repeat(10 * 1024),
  "/10m": "x".repeat(10 * 1024 * 1024),
  "/64k": "x".repeat(64 * 1024),
  "/text": sampleText(),
  "/1m": "x".repeat(1024 * 1024),
  "/upload": "stored\n",
};

for (const product of PEERS) {
  labTest(
    `startProduct() ${product} gives the servers' answers in every scenario`,
    [product, "nginx", "openssl", "curl"],
    async () => {
      await withBackends(async (backends, directory) => {
        for (const scenario of SCENARIOS) {
          if (scenario.files && product === "haproxy") continue;
          const { running, url } = await startProduct(product, scenario, backends, directory);
          try {
            const [status, body] = await ask(url, scenario);
            assertEquals(status, 200, scenario.name);
            assert(body === ANSWERS[scenario.path], `${scenario.name}: ${body.length} bytes`);
          } finally {
            await running.stop();
          }
        }
      });
    },
  );
}

labTest(
  "churn() answers every request and measures the product's processes",
  ["haproxy", "nginx"],
  async () => {
    await withBackends(async (backends, directory) => {
      const started = await startProduct("haproxy", SCENARIOS[0] as Scenario, backends, directory);
      try {
        const result = await churn(started, { requests: 2000, requestsPerConnection: 5, concurrency: 16 });
        assertEquals([result.connections, result.failed, result.memory.length], [400, 0, 100]);
        const { pid } = started.running;
        assert(memoryBytes(pid) > 1024 * 1024 && openFiles(pid) > 5 && cpuMicroseconds(pid) > 0);
      } finally {
        await started.running.stop();
      }
      assertEquals([memoryBytes(started.running.pid), openFiles(started.running.pid)], [0, 0]);
    });
  },
);
