/** `tandem vip clean` after a keeper was killed, and beside keepers that live. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { Pair, VIP } from "./pair.ts";
import { labTest } from "./tools.ts";

labTest(
  "clean() removes what a killed keeper left, and never what a live one leases or somebody else set",
  LAB_NEEDS,
  async () => {
    await using pair = await Pair.start();
    const file = `${pair.directory}/tandem.yaml`;
    // A lease long enough to be cleaned up before its end, on the busiest machine.
    const slow = (text: string) => text.replace("advertInterval: 100ms", "advertInterval: 10s");
    Deno.writeTextFileSync(file, slow(Deno.readTextFileSync(file)));
    const clean = (node: string) => {
      const env = `RUNTIME_DIRECTORY=${pair.directory}`;
      return pair.lab.run("lb1", "env", env, ...pair.program, "vip", "clean", "-c", file, "--node", node);
    };
    await pair.reload("lb1");
    await pair.holds("lb1", true);

    const running = await clean("lb1");
    assertEquals([running.success, running.stdout], [true, "node lb1 runs: its addresses are left alone\n"]);
    // Another node's keeper is not found by its lock, but by what it does.
    pair.signal("lb2", "SIGKILL");
    await pair.ended("lb2");
    const living = await clean("lb2");
    assertStringIncludes(living.stdout, `left ${VIP} on eth0: it is leased by a live keeper`);
    assert(await pair.holdsNow("lb1"));

    pair.signal("lb1", "SIGKILL");
    await pair.ended("lb1");
    assert(await pair.holdsNow("lb1"), "the lease is long");
    const killed = await clean("lb1");
    assertEquals([killed.stdout, killed.stderr], [`removed ${VIP} from eth0\n`, ""]);
    assert(!await pair.holdsNow("lb1"));
    assertEquals((await clean("lb1")).stdout, "");

    await pair.lab.ip("lb1", "address", "add", `${VIP}/24`, "dev", "eth0");
    assertStringIncludes((await clean("lb1")).stdout, "it has no lease, so no keeper set it");
    assert(await pair.holdsNow("lb1"));
  },
);
