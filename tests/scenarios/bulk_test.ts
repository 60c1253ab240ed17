/** Large bodies both ways with curl and a real server: every byte arrives, and memory does not grow with them. */
import { assertEquals, assertLess } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { Nginx } from "./nginx.ts";
import { freePort, Node, pause } from "./node.ts";

const BLOCK = 1024 * 1024;
/** TANDEM_BULK_GB=10 for the long form. */
const BLOCKS = 1024 * Number(Deno.env.get("TANDEM_BULK_GB") ?? 1);
const MAX_GROWTH = 300 * 1024 * 1024;
const SAMPLE_MS = 100;

labTest("run() carries 1 GB up and down unchanged in bounded memory", ["nginx", "curl", "cmp"], async (t) => {
  await using nginx = await Nginx.start("a");
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
  - { name: raw, bind: "127.0.0.1:${freePort()}", protocol: tcp, pool: app }
pools: { app: { servers: ["127.0.0.1:${nginx.port}"] } }
`);
  const files = `${nginx.directory}/files`;
  await writeBlocks(`${files}/large`);
  const { listeners } = await node.status();
  const url = `http://127.0.0.1:${port}/files`;
  const rawUrl = `http://${listeners[1]!.binds[0]}/files`;
  const steps: [name: string, args: string[], arrived: string][] = [
    ["an upload", ["-T", `${files}/large`, `${url}/up`], `${files}/up`],
    // Of a body of unknown length curl makes chunks.
    ["a chunked upload", ["-T", "-", `${url}/chunked`], `${files}/chunked`],
    ["a download", ["-o", `${files}/down`, `${url}/large`], `${files}/down`],
    ["a download over tcp", ["-o", `${files}/raw`, `${rawUrl}/large`], `${files}/raw`],
  ];
  for (const [name, args, arrived] of steps) {
    await t.step(name, async () => {
      const before = node.memory();
      let most = before;
      let over = false;
      const watching = (async () => {
        for (; !over; await pause(SAMPLE_MS)) most = Math.max(most, node.memory());
      })();
      await run("curl", ["-sS", "--fail", "--max-time", "600", ...args], `${files}/large`);
      over = true;
      await watching;
      await run("cmp", [`${files}/large`, arrived]);
      await Deno.remove(arrived);
      console.log(`${name}: memory grew by ${Math.round((most - before) / 1024 / 1024)} MB`);
      assertLess(most - before, MAX_GROWTH);
    });
  }
  const { counters } = await node.listener("web");
  assertEquals([counters.requests, counters.responses5xx], [3, 0]);
});

/** Every block is random and says its number, so that none can be lost, repeated or moved unseen. */
async function writeBlocks(path: string): Promise<void> {
  using file = await Deno.create(path);
  const block = new Uint8Array(BLOCK);
  for (let at = 0; at < BLOCK; at += 64 * 1024) crypto.getRandomValues(block.subarray(at, at + 64 * 1024));
  const view = new DataView(block.buffer);
  for (let number = 0; number < BLOCKS; number++) {
    for (let at = 0; at < BLOCK; at += 4096) view.setUint32(at, number);
    for (let sent = 0; sent < BLOCK;) sent += await file.write(block.subarray(sent));
  }
}

async function run(name: string, args: readonly string[], input?: string): Promise<void> {
  const tool = requireTool(name);
  if ("skip" in tool) throw new Error(tool.skip);
  const child = new Deno.Command(tool.path, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const file = await Deno.open(input);
    // A program that does not read its input closes it.
    await file.readable.pipeTo(child.stdin).catch(() => {});
  }
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${name}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}
