/** A node of a pair is upgraded under load: the address never moves, the peer never becomes active, no request is lost. */
import { assert, assertEquals, assertGreater, assertLess } from "../assert.ts";
import { untilGone } from "../runtime/process.ts";
import type { LoadReport } from "./load_program.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type NodeName, Pair, pause, VIP } from "./pair.ts";
import { labTest, requireTool } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "curl"];

/** Everything that a program prints, until it is killed. */
class Recording {
  text = "";
  readonly #reading: Promise<void>;

  constructor(readonly child: Deno.ChildProcess) {
    void child.stdin.close();
    this.#reading = this.#read();
  }

  async stop(): Promise<string> {
    this.child.kill("SIGKILL");
    await this.#reading;
    return this.text;
  }

  async #read(): Promise<void> {
    for await (const chunk of this.child.stdout.pipeThrough(new TextDecoderStream())) this.text += chunk;
  }
}

/** Both nodes with an interval that a busy machine can keep while processes start. */
async function steadyPair(program?: readonly string[]): Promise<Pair> {
  const pair = await Pair.start("", undefined, program);
  const file = `${pair.directory}/tandem.yaml`;
  Deno.writeTextFileSync(
    file,
    Deno.readTextFileSync(file).replace("advertInterval: 100ms", "advertInterval: 500ms"),
  );
  for (const node of ["lb1", "lb2"] as const) await pair.reload(node);
  await pair.settled("lb1");
  return pair;
}

function addresses(pair: Pair, node: NodeName): Recording {
  const ip = requireTool("ip");
  return new Recording(pair.lab.start(node, ["path" in ip ? ip.path : "ip", "monitor", "address"]));
}

async function underLoad(pair: Pair, use: () => Promise<void>): Promise<void> {
  const load = pair.lab.deno("client", "load_program.ts", VIP);
  await use();
  // Some more after the last upgrade.
  await pause(500);
  await load.stdin.close();
  const { answered, failures } = JSON.parse(await new Response(load.stdout).text()) as LoadReport;
  assertEquals(failures, []);
  assertGreater(answered, 100);
}

async function upgradesBoth(pair: Pair): Promise<void> {
  const seen = [addresses(pair, "lb1"), addresses(pair, "lb2")];
  const before = Date.now();
  await underLoad(pair, async () => {
    for (const node of ["lb1", "lb2", "lb1"] as const) {
      const { code, said } = await pair.upgrade(node);
      assertEquals([node, code, said], [node, 0, "the new program has taken over; see tandem status\n"]);
    }
  });
  for (const [node, state] of [["lb1", "active"], ["lb2", "backup"]] as const) {
    const instance = await pair.instance(node);
    assertEquals(instance.state, state, instance.why);
    assertLess(instance.since, before, `${node} has been something else meanwhile: ${instance.why}`);
  }
  for (const recording of seen) {
    const lines = (await recording.stop()).split("\n").filter((line) => line.includes(VIP));
    assertEquals(lines.filter((line) => line.startsWith("Deleted")), []);
  }
  assert(await pair.holdsNow("lb1") && !await pair.holdsNow("lb2"));
}

labTest(
  "upgrade() of both nodes of a pair: the address never moves, and clients see nothing",
  NEEDS,
  async () => {
    await using pair = await steadyPair();
    await upgradesBoth(pair);
    // What took over is a keeper like any other: it hands over when it is stopped.
    const { pid } = await pair.ask("lb1");
    Deno.kill(pid, "SIGTERM");
    await pair.until("lb2", ({ state }) => state === "active");
    await untilGone(pid);
    await pair.answers("lb2");
  },
);
