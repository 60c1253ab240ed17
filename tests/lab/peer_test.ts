/** One node of a pair asked through the other, over the encrypted line between them. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { tandem } from "../cli/tandem.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type NodeName, Pair, pause } from "./pair.ts";
import { labTest } from "./tools.ts";

const POLL_MS = 50;

labTest(
  "node() a node answers for its peer, changes are made on both, and an unreachable one is told of",
  [...LAB_NEEDS, "curl", "nft"],
  async () => {
    await using pair = await Pair.start();
    const at = (node: NodeName, ...args: string[]) =>
      tandem([...args, "--socket", `${pair.directory}/${node}.sock`]);
    const state = async (node: NodeName) => {
      const said = await at("lb1", "status", "--node", node, "--json");
      const { pools, keeper } = JSON.parse(said.out);
      return [keeper.node, pools[0].servers[0].admin ?? pools[0].servers[0].state];
    };
    // The line is open as soon as both have looked.
    while ((await at("lb1", "maintenance", "--node", "peer")).code !== 0) await pause(POLL_MS);
    const server = (node: NodeName) => `app/${pair.lab.address(node === "lb1" ? "s1" : "s2")}:9000`;

    // Each has a backend of its own, so one of both has no such server: it is told of each.
    const half = await at("lb1", "drain", server("lb2"), "--both");
    assertEquals(half.code, 1);
    assertStringIncludes(half.out, `lb2: ${server("lb2")} is in drain`);
    assertStringIncludes(half.err, "lb1: Cannot do it as there is no server");
    assertEquals(await state("lb2"), ["lb2", "drain"]);
    const back = await at("lb1", "ready", server("lb2"), "--node", "lb2");
    assertEquals([back.code, back.err], [0, ""]);

    const both = await at("lb2", "log", "debug", "--both");
    assertEquals([both.code, both.out.split("\n").sort()], [
      0,
      ["", "lb1: the log has level debug", "lb2: the log has level debug"],
    ]);
    const changes = await at("lb1", "status", "--both", "--json");
    const by = JSON.parse(changes.out).nodes.map(
      ({ answer }: { answer: { keeper: { drift: { by: string }[] } } }) => answer.keeper.drift[0]!.by,
    );
    assert(by[0].endsWith(", through node lb2"), by[0]);
    assert(!by[1].includes("through"), by[1]);

    const told = async (...args: string[]) => {
      const { code, out, err } = await at("lb1", ...args);
      return [code, out, err];
    };
    assertEquals(await told("maintenance", "on", "--node", "lb2"), [0, "maintenance is on\n", ""]);
    assertEquals(
      await told("maintenance", "--both"),
      [0, "== lb1\nmaintenance is off\n== lb2\nmaintenance is on\n", ""],
    );
    assertEquals(
      await told("maintenance", "off", "--both"),
      [0, "lb1: maintenance is off\nlb2: maintenance is off\n", ""],
    );
    const none = "the configuration names no certificate\n";
    assertEquals(await told("certificates", "--both"), [0, `== lb1\n${none}== lb2\n${none}`, ""]);
    assertEquals((await told("cache", "purge", "--all", "--both"))[0], 0);

    // One file for both: the second is not told of what the first one refuses.
    await Deno.writeTextFile(`${pair.directory}/tandem.yaml`, "listeners: 5\n");
    const problem = "tandem.yaml:1:12: listeners: must be a list, not 5";
    const [planned, , why] = await told("plan", "--both");
    assertEquals([planned, String(why).match(/^lb\d: .*must be a list/gm)?.length], [1, 2], String(why));
    const refused = await at("lb1", "reload", "--both");
    assertEquals([refused.code, refused.out], [1, ""]);
    assertStringIncludes(refused.err, problem);
    assertStringIncludes(refused.err, "lb2: Cannot do it as node lb1 comes first, and has not done it\n");
    pair.write();
    assertEquals(
      await told("reload", "--both"),
      [0, "lb1: the configuration is in force\nlb2: the configuration is in force\n", ""],
    );

    // Reports still come; the line is cut.
    await pair.lab.must(
      "lb2",
      "nft",
      "add table inet cut; add chain inet cut in { type filter hook input priority 0; }",
    );
    await pair.lab.must("lb2", "nft", "add rule inet cut in tcp dport 8112 reject with tcp reset");
    const cut = await at("lb1", "log", "info", "--both");
    assertEquals([cut.code, cut.out], [1, "lb1: the log has level info\n"]);
    assertStringIncludes(cut.err, "lb2: Cannot do it as node lb2 at 10.77.0.12 cannot be asked");
    await pair.lab.must("lb2", "nft", "delete table inet cut");

    // A node that is down is told of too, and not passed over.
    pair.signal("lb2", "SIGKILL");
    await pair.ended("lb2");
    const down = await at("lb1", "log", "warning", "--both");
    assertEquals([down.code, down.out], [1, "lb1: the log has level warning\n"]);
    assertStringIncludes(down.err, "lb2: Cannot do it as node lb2");
  },
);
