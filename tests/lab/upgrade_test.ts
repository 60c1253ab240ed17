/** A node of a pair is upgraded under load: the address never moves, the peer never becomes active, no request is lost. */
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "../assert.ts";
import { alive, untilGone } from "../runtime/process.ts";
import { binary } from "./binary.ts";
import { Forwarding, HeldConnections, VIP as FORWARDED } from "./forwarding.ts";
import type { LoadReport } from "./load_program.ts";
import { type Lab, LAB_NEEDS } from "./netns.ts";
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

function record(lab: Lab, node: string, tool: string, ...args: string[]): Recording {
  const found = requireTool(tool);
  return new Recording(lab.start(node, ["path" in found ? found.path : tool, ...args]));
}

async function underLoad(lab: Lab, vip: string, use: () => Promise<void>): Promise<void> {
  const load = lab.deno("client", "load_program.ts", vip);
  await use();
  // Some more after the last upgrade.
  await pause(500);
  await load.stdin.close();
  const { answered, failures } = JSON.parse(await new Response(load.stdout).text()) as LoadReport;
  assertEquals(failures, []);
  assertGreater(answered, 100);
}

/** What happens meanwhile moves nothing: neither the address nor what the nodes are to each other. */
async function unmoved(pair: Pair, use: () => Promise<void>): Promise<void> {
  const seen = [
    record(pair.lab, "lb1", "ip", "monitor", "address"),
    record(pair.lab, "lb2", "ip", "monitor", "address"),
  ];
  const before = Date.now();
  await underLoad(pair.lab, VIP, use);
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

async function upgrades(pair: Pair, node: NodeName): Promise<void> {
  const { code, said } = await pair.upgrade(node);
  assertEquals([node, code, said], [node, 0, "the new program has taken over; see tandem status\n"]);
}

labTest(
  "upgrade() of both nodes of a pair: the address never moves, and clients see nothing",
  NEEDS,
  async () => {
    await using pair = await steadyPair();
    await unmoved(pair, async () => {
      for (const node of ["lb1", "lb2", "lb1"] as const) await upgrades(pair, node);
    });
    // What took over is a keeper like any other: it hands over when it is stopped.
    const { pid } = await pair.ask("lb1");
    Deno.kill(pid, "SIGTERM");
    await pair.until("lb2", ({ state }) => state === "active");
    await untilGone(pid);
    await pair.answers("lb2");
  },
);

labTest("upgrade() a peer that dies meanwhile is replaced by the node that is upgraded", NEEDS, async () => {
  await using pair = await steadyPair();
  const upgraded = pair.upgrade("lb2");
  pair.signal("lb1", "SIGKILL");
  await pair.until("lb2", ({ state }) => state === "active");
  assertEquals((await upgraded).code, 0);
  await pair.until("lb2", ({ state }) => state === "active");
  await pair.answers("lb2");
});

/** Says what a new program says, and ends when it has been given the node. */
const HALF_WAY = `#!/bin/sh
echo '{"kind":"hello","protocol":1,"version":"9"}'
echo '{"kind":"ready"}'
while read -r line; do
  case "$line" in *'"name":"keeper"'*) exit 9 ;; esac
done
`;

labTest(
  "upgrade() to another binary: one that is broken, at any step, changes nothing; a good one takes over",
  [
    ...NEEDS,
    "binary",
  ],
  async () => {
    const good = await binary();
    const directory = await Deno.makeTempDir({ prefix: "tandem-upgraded-" });
    const program = `${directory}/tandem`;
    // As a package does it: the file is another one, and what runs keeps its own.
    const install = async (write: (path: string) => Promise<void>) => {
      await write(`${program}.new`);
      await Deno.chmod(`${program}.new`, 0o755);
      await Deno.rename(`${program}.new`, program);
    };
    try {
      await Deno.copyFile(good, program);
      await using pair = await steadyPair([program]);
      const { pid, balancer } = await pair.ask("lb1");
      // The commands are given by a program that is not broken.
      const upgrade = () => pair.upgrade("lb1", good);
      await unmoved(pair, async () => {
        const broken: [string, string][] = [
          ["#!/bin/sh\nexit 3\n", "the new program ended (exit 3)"],
          ["no program at all", "Exec format error"],
          [HALF_WAY, "the new program ended (exit 9)"],
        ];
        for (const [text, problem] of broken) {
          await install((path) => Deno.writeTextFile(path, text));
          const { code, said } = await upgrade();
          assertEquals(code, 1, said);
          assertStringIncludes(said, problem);
          const after = await pair.ask("lb1");
          assertEquals([after.pid, after.balancer.pid], [pid, balancer.pid]);
        }
        await install((path) => Deno.copyFile(good, path));
        const file = `${pair.directory}/tandem.yaml`;
        const config = await Deno.readTextFile(file);
        await Deno.writeTextFile(file, `${config}nonsense: true\n`);
        const refused = await upgrade();
        assertEquals(refused.code, 1);
        assertStringIncludes(refused.said, "nonsense");
        await Deno.writeTextFile(file, config);
        assertEquals((await upgrade()).code, 0);
      });
      assert(!await alive(pid));
      assert((await pair.ask("lb1")).pid !== pid);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

labTest("upgrade() what the kernel forwards goes on, and its rules are never taken away", [
  ...NEEDS,
  "nft",
  "nginx",
], async () => {
  await using forwarding = await Forwarding.create(["lb"], ["s1"]);
  const { lab } = forwarding;
  await forwarding.own("lb");
  forwarding.write(`listeners:
  - { name: web, bind: "${FORWARDED}:80", protocol: tcp, forward: nat, pool: app }
pools:
  app:
    servers: [${forwarding.server("s1")}]
    check: { type: tcp, interval: 200ms, timeout: 500ms, rise: 1, fall: 1 }
`);
  forwarding.run("lb");
  await forwarding.open("lb", "s1");
  const held = new HeldConnections(lab, FORWARDED, 80);
  assertEquals(await held.ask(), ["s1"]);
  const rules = record(lab, "lb", "nft", "monitor", "destroy");
  await underLoad(lab, FORWARDED, async () => {
    for (let round = 0; round < 2; round++) {
      const { success, stdout, stderr } = await forwarding.tandem("lb", "upgrade");
      assert(success, stdout + stderr);
    }
  });
  assertEquals(await held.ask(), ["s1"]);
  await held.close();
  const gone = (await rules.stop()).split("\n").filter((line) => line.startsWith("delete table"));
  assertEquals(gone, []);
  assert((await forwarding.rules("lb")).includes("tandem_lb"));
});
