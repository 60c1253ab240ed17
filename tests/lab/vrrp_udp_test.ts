/** Signed adverts and reports between processes in namespaces: multicast and unicast, IPv4 and IPv6. */
import { assert, assertEquals } from "../assert.ts";
import { Lab, LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";
import { Agent, until } from "./vrrp_agent.ts";

const SECRET = "the secret of the lab's pair";
const HOUR_MS = 3_600_000;

interface Node {
  readonly family?: 4 | 6;
  readonly peers?: readonly string[];
  readonly secret?: string | null;
  readonly clockOffsetMs?: number;
  readonly priority?: number;
  /** The name it goes by, when not its namespace's. */
  readonly as?: string;
  readonly device?: string;
}

function start(lab: Lab, name: string, node: Node = {}): Agent {
  const { family = 4, peers = [], secret = SECRET, clockOffsetMs = 0, priority = 100, device = "eth0" } =
    node;
  const settings = { node: node.as ?? name, device, family, peers, secret, clockOffsetMs, priority };
  return new Agent(lab.deno(name, "vrrp_udp_program.ts", JSON.stringify(settings)));
}

const heard = (agent: Agent, kind: string, node: string) =>
  agent.event((line) => line.event === "heard" && line.kind === kind && line.node === node);
const dropped = (agent: Agent, reason: string) =>
  agent.event((line) => line.event === "drop" && line.reason === reason);
const reasons = (
  agent: Agent,
) => [...new Set(agent.events.filter(({ event }) => event === "drop").map(({ reason }) => reason))];

for (const family of [4, 6] as const) {
  labTest(
    `UdpTransport() two nodes hear each other's signed adverts and reports by IPv${family} multicast`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1", "lb2");
      await using one = start(lab, "lb1", { family, priority: 200 });
      await using two = start(lab, "lb2", { family, priority: 100 });
      assertEquals((await heard(two, "advert", "lb1")).priority, 200);
      assertEquals((await heard(one, "advert", "lb2")).priority, 100);
      await heard(one, "report", "lb2");
      const { source } = await heard(two, "report", "lb1");
      if (family === 4) assertEquals(source, lab.address("lb1"));
      else assert(String(source).startsWith("fe80::"));
      // The clocks agree, so nothing is ever dropped, and nobody hears itself.
      assertEquals([reasons(one), reasons(two)], [[], []]);
      assertEquals([...one.events, ...two.events].filter(({ event }) => event === "problem"), []);
    },
  );
}

labTest("UdpTransport() unicast peers hear each other and nobody else", LAB_NEEDS, async () => {
  await using lab = await Lab.create("lb1", "lb2", "lb3");
  await using one = start(lab, "lb1", { peers: [lab.address("lb2")] });
  await using two = start(lab, "lb2", { peers: [lab.address("lb1")] });
  await using three = start(lab, "lb3", { peers: [lab.address("lb1")] });
  await heard(one, "advert", "lb2");
  await heard(two, "advert", "lb1");
  assertEquals((await dropped(one, "foreign")).source, lab.address("lb3"));
  assertEquals(three.events.filter(({ event }) => event === "heard"), []);
});

labTest(
  "UdpTransport() clocks hours apart: the nonce proves both, and after a restart again",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1", "lb2");
    await using one = start(lab, "lb1");
    {
      await using two = start(lab, "lb2", { clockOffsetMs: -9 * HOUR_MS });
      await heard(one, "advert", "lb2");
      await heard(two, "advert", "lb1");
    }
    one.events.splice(0);
    await using again = start(lab, "lb2", { clockOffsetMs: 9 * HOUR_MS });
    const proved = await one.event(({ event }) => event === "heard");
    assertEquals([proved.node, proved.proof], ["lb2", "echo"]);
    await heard(again, "advert", "lb1");
  },
);

labTest(
  "UdpTransport() other secrets, unsigned nodes and a second node of one name are dropped by reason",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1", "lb2", "lb3", "lb4");
    await using one = start(lab, "lb1");
    await using other = start(lab, "lb2", { secret: "another secret altogether" });
    await using open = start(lab, "lb3", { secret: null });
    await using twin = start(lab, "lb4", { as: "lb1" });
    for (const reason of ["signature", "unsigned", "twin"]) await dropped(one, reason);
    await dropped(open, "signed");
    await dropped(other, "signature");
    await dropped(twin, "twin");
    assertEquals(one.events.filter(({ event }) => event === "heard"), []);
  },
);

labTest("UdpTransport() on one interface does not hear another interface's nodes", LAB_NEEDS, async () => {
  await using lab = await Lab.create("lb1", "lb2");
  // lb1 has a second interface in the same LAN with its own subnet; both sockets join the group.
  await lab.ip("lb1", "link", "add", "extra", "link", "eth0", "type", "macvlan", "mode", "bridge");
  await lab.ip("lb1", "address", "add", "192.0.2.1/24", "dev", "extra");
  await lab.ip("lb1", "link", "set", "extra", "up");
  await using inner = start(lab, "lb1", { device: "extra", as: "inner" });
  await inner.event(({ event }) => event === "ready");
  await using outer = start(lab, "lb1");
  await using two = start(lab, "lb2");
  await heard(outer, "advert", "lb2");
  assertEquals((await dropped(inner, "foreign")).source, lab.address("lb2"));
  assertEquals(inner.events.filter(({ event }) => event === "heard"), []);
  await heard(two, "advert", "lb1");
});

labTest(
  "UdpTransport() goes on after the cable was out, and through loss",
  [...LAB_NEEDS, "nft"],
  async () => {
    await using lab = await Lab.create("lb1", "lb2");
    await using one = start(lab, "lb1");
    await using two = start(lab, "lb2");
    await heard(one, "advert", "lb2");
    await lab.cut("lb2");
    // What is still on its way is heard before the silence is judged.
    await until(async () => {
      one.events.splice(0);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return one.events.length;
    }, (count) => count === 0);
    await lab.heal("lb2");
    await heard(one, "advert", "lb2");
    await lab.loss("lb1", 50);
    one.events.splice(0);
    await heard(one, "advert", "lb2");
    await lab.loss("lb1", 100);
    await until(async () => {
      one.events.splice(0);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return one.events.length;
    }, (count) => count === 0);
    await lab.loss("lb1", 0);
    await heard(one, "advert", "lb2");
    two.events.splice(0);
    await heard(two, "advert", "lb1");
  },
);

labTest(
  "UdpTransport() RFC 9568 section 5.1.1.3: IPv4 multicast leaves with TTL 255, from and to port 8112",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1", "lb2");
    await using sniffer = await Agent.start(lab, "lb2");
    await sniffer.call("sniff", { etherType: 0x0800, count: 8 });
    await using _one = start(lab, "lb1");
    const frames = await sniffer.call("sniffed") as string[];
    // Among them is the IGMP of the joining.
    const frame = frames.find((hex) => hex.startsWith("01005e000012"));
    assert(frame !== undefined);
    // Ethernet (14 bytes), IPv4: TTL at 8, protocol at 9, addresses at 12; UDP: ports.
    assertEquals(frame.slice(2 * 22, 2 * 24), "ff11");
    assertEquals(frame.slice(2 * 26, 2 * 34), "0a4d000b" + "e0000012");
    assertEquals(frame.slice(2 * 34, 2 * 38), "1fb01fb0");
  },
);
