/** The short form of the churn benchmark: what many short connections leave behind. */
import { churn } from "../../bench/churn_io.ts";
import { assertEquals, assertLess } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Nginx } from "./nginx.ts";
import { freePort, Node } from "./node.ts";

const CHURN = { requests: 20_000, requestsPerConnection: 5, concurrency: 32 };
/** The bench holds 5 % over a million requests; a heap that has just started still finds its size. */
const MAX_GROWTH = 0.3;

labTest("run() churn leaves no file open and memory flat", ["nginx"], async () => {
  await using nginx = await Nginx.start("a");
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
  - { name: raw, bind: "127.0.0.1:${freePort()}", protocol: tcp, pool: app }
pools: { app: { servers: ["127.0.0.1:${nginx.port}"], timeouts: { idle: 300ms } } }
workers: 2
`);
  // Once through everything, so that what is opened once is open.
  const subject = { running: { pid: node.program.pid }, port };
  await churn(subject, { ...CHURN, requests: 1000 }, "/");
  const files = await settled(node);
  const result = await churn(subject, CHURN, "/");
  assertEquals(result.failed, 0);
  assertLess(result.memoryGrowth, MAX_GROWTH, `${result.memory}`);
  assertEquals(await settled(node), files);
  const { counters } = await node.listener("web");
  assertEquals([counters.active, counters.requests], [0, 21_000]);
});

/** Open files once idle connections to the server have gone. */
async function settled(node: Node): Promise<number> {
  await node.until(({ listeners }) => listeners[0]!.counters.active === 0);
  let [before, files] = [-1, node.files()];
  while (files !== before) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    [before, files] = [files, node.files()];
  }
  return files;
}
