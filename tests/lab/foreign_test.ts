/** A stranger that claims the nodes' id, and a second Active: both nodes say who it is, and nothing moves. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { tandem } from "../cli/tandem.ts";
import { LAB_NEEDS } from "./netns.ts";
import { INSTANCE, Pair, pause, VIP } from "./pair.ts";
import { labTest } from "./tools.ts";
import { Agent } from "./vrrp_agent.ts";

const NEEDS = [...LAB_NEEDS, "curl"];

/** An unsigned node where the client is, with the pair's id. */
function strangerIn({ lab }: Pair): Agent {
  const settings = {
    ...{ node: "stranger", device: "eth0", family: 4, peers: [], secret: null },
    ...{ clockOffsetMs: 0, priority: 254 },
  };
  return new Agent(lab.deno("client", "vrrp_udp_program.ts", JSON.stringify(settings)));
}

labTest(
  "foreign() an unsigned node with our id is told of with its address and MAC, and gets nothing",
  NEEDS,
  async () => {
    await using pair = await Pair.start();
    await using _stranger = strangerIn(pair);
    const mac = await pair.lab.mac("client");
    for (const node of ["lb1", "lb2"] as const) {
      const { foreign, state, conflicts } = await pair.until(
        node,
        ({ foreign }) => foreign.length > 0 && foreign[0]!.mac !== null && foreign[0]!.adverts > 3,
      );
      assertEquals(foreign.map(({ address, mac, priority }) => ({ address, mac, priority })), [
        { address: pair.lab.address("client"), mac, priority: 254 },
      ]);
      assertEquals([state, conflicts], [node === "lb1" ? "active" : "backup", 0]);
    }
    const env = { RUNTIME_DIRECTORY: pair.directory };
    const { out } = await tandem(["status", "--node", "lb2"], { env });
    assertStringIncludes(out, `also active: ${pair.lab.address("client")} (MAC ${mac}), priority 254, `);
    const { stdout } = await pair.lab.run(
      "lb2",
      ...["curl", "-s", "--unix-socket", `${pair.directory}/lb2.sock`, "http://localhost/metrics"] as const,
    );
    assert(
      new RegExp(`^tandem_vrrp_foreign_adverts_total{vrrp_instance="${INSTANCE}"} [1-9]`, "m").test(stdout),
    );
  },
);

labTest(
  "foreign() clients that went over to a stranger come back when it goes silent, however it has gone",
  NEEDS,
  async () => {
    // The LAN is told again by nothing else.
    await using pair = await Pair.start("      announce: { again: 0s, refresh: 0s }");
    const own = await pair.lab.mac("lb1");
    {
      await using _stranger = strangerIn(pair);
      await pair.until("lb1", ({ foreign }) => foreign.length > 0);
      const other = ["lladdr", "02:00:00:00:00:99"];
      await pair.lab.ip("s1", "neigh", "replace", VIP, ...other, "dev", "eth0", "nud", "stale");
    }
    while (await pair.lab.neighbour("s1", VIP) !== own) await pause(20);
  },
);

labTest(
  "foreign() the other side of a cut network is a conflict, and told of with its MAC",
  NEEDS,
  async () => {
    await using pair = await Pair.start();
    await pair.lab.part("lb2", true);
    await pair.until("lb2", ({ state }) => state === "active");
    await pair.lab.part("lb2", false);
    await pair.until("lb2", ({ state }) => state === "backup");
    const mac = await pair.lab.mac("lb2");
    const { foreign } = await pair.until(
      "lb1",
      ({ foreign }) => foreign.length > 0 && foreign[0]!.mac !== null,
    );
    assertEquals([foreign[0]!.address, foreign[0]!.mac], [pair.lab.address("lb2"), mac]);
    // Nothing else counts one: not the move away, nor the return.
    await pause(500);
    assertEquals([(await pair.instance("lb1")).conflicts, (await pair.instance("lb2")).conflicts], [1, 0]);
  },
);
