/** Virtual addresses on real interfaces: they appear, move, expire by themselves, and harm no neighbour. */
import { assert, assertEquals, assertLess } from "../assert.ts";
import { denoCommand, Lab, LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";
import { Agent, until } from "./vrrp_agent.ts";

const VIP = "10.77.0.200";
const VIP6 = "fd77::200";
const BOTH = [`${VIP}/32`, `${VIP6}/128`];
const WELL = { done: true, problems: [] };
/** A lease is over at most this long after its end (measured: 0.85 s). */
const EXPIRY_SLACK_MS = 1500;

const addresses = (lab: Lab, name: string) => lab.ip(name, "-brief", "address", "show", "dev", "eth0");
const holds = async (lab: Lab, name: string, address: string) =>
  (await addresses(lab, name)).includes(`${address}/`);

for (const via of ["netlink", "ip"] as const) {
  labTest(
    `VipHolder() via ${via}: addresses appear, answer, move with the announcement, and go`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1", "lb2", "client");
      await using one = await Agent.start(lab, "lb1");
      await using two = await Agent.start(lab, "lb2");
      await using client = await Agent.start(lab, "client");
      for (const [agent, name] of [[one, "lb1"], [two, "lb2"]] as const) {
        await agent.call("serve", { name });
        await agent.call("hold", { addresses: BOTH, leaseSeconds: 30, via });
      }
      assertEquals(await one.call("add"), WELL);
      // IPv6 is ready only when the kernel has looked at the new link, within a second.
      for (const host of BOTH.map((text) => text.split("/")[0]!)) {
        await until(() => client.call("ask", { host }), (who) => who === "lb1");
      }
      assertEquals(await lab.neighbour("client", VIP), await lab.mac("lb1"));

      // The first owner keeps the address, as one that was cut off: only the announcement moves the client.
      assertEquals(await two.call("add"), WELL);
      assertEquals(await two.call("announce"), []);
      await until(() => lab.neighbour("client", VIP), (found) => found !== "none");
      assertEquals(await lab.neighbour("client", VIP), await lab.mac("lb2"));
      assertEquals(await lab.neighbour("client", VIP6), await lab.mac("lb2"));
      assertEquals(await client.call("ask", { host: VIP }), "lb2");
      assertEquals(await client.call("ask", { host: VIP6 }), "lb2");

      assertEquals(await one.call("remove"), WELL);
      assertEquals(await one.call("remove"), WELL);
      for (const address of [VIP, VIP6]) assert(!await holds(lab, "lb1", address));
      assertEquals(one.events.filter(({ event }) => event === "lost"), []);
    },
  );

  labTest(
    `VipHolder() via ${via}: what a crash left is found and removed, the node's own addresses stay`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      await lab.ip("lb1", "address", "add", `${VIP}/24`, "dev", "eth0");
      await lab.ip("lb1", "address", "add", `${VIP6}/64`, "dev", "eth0", "nodad");
      await agent.call("hold", { addresses: BOTH, leaseSeconds: 30, via });
      assertEquals(await agent.call("leftovers"), [VIP, VIP6]);
      assertEquals(await agent.call("leftovers"), []);
      assert(!await holds(lab, "lb1", VIP));
      assert(await holds(lab, "lb1", lab.address("lb1")));
      assert(await holds(lab, "lb1", lab.address6("lb1")));
    },
  );

  labTest(
    `VipHolder() via ${via}: kill -9 leaves nothing behind, the lease is over by itself`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      await agent.call("hold", { addresses: BOTH, leaseSeconds: 1, via });
      await agent.call("add");
      await agent.call("keep", { leaseSeconds: 1 });
      // Well past the lease: it is being renewed.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      for (const address of [VIP, VIP6]) assert(await holds(lab, "lb1", address), address);
      agent.signal("SIGKILL");
      const killedAt = performance.now();
      await until(() => addresses(lab, "lb1"), (text) => !text.includes(VIP) && !text.includes(VIP6));
      assertLess(performance.now() - killedAt, 1000 + EXPIRY_SLACK_MS);
      assert(await holds(lab, "lb1", lab.address("lb1")));
    },
  );

  labTest(
    `VipHolder() via ${via}: a process that was frozen past its lease does not take the address back`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      await agent.call("hold", { addresses: BOTH, leaseSeconds: 1, via });
      await agent.call("add");
      agent.signal("SIGSTOP");
      await until(() => addresses(lab, "lb1"), (text) => !text.includes(VIP) && !text.includes(VIP6));
      agent.signal("SIGCONT");
      const renewal = await agent.call("renew") as { lost: unknown[] };
      // With netlink the kernel's event may have told it first.
      const told = agent.events.filter(({ event }) => event === "lost").flatMap(({ lost }) =>
        lost as string[]
      );
      assertEquals(renewal.lost.length + new Set(told).size, 2);
      assert(!await holds(lab, "lb1", VIP));
    },
  );

  labTest(
    `VipHolder() via ${via}: an interface that is not there is a problem in words`,
    LAB_NEEDS,
    async () => {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      await agent.call("hold", { addresses: BOTH, leaseSeconds: 1, via });
      await lab.ip("lb1", "link", "del", "eth0");
      const outcome = await agent.call("add") as { done: boolean; problems: string[] };
      assertEquals(outcome.done, false);
      assert(outcome.problems[0]?.includes("eth0"), outcome.problems.join());
    },
  );
}

labTest(
  "VipHolder() an address that somebody removed by hand is noticed at once, our own removal is not",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1");
    await using agent = await Agent.start(lab, "lb1");
    await agent.call("hold", { addresses: BOTH, leaseSeconds: 60 });
    await agent.call("add");
    await lab.ip("lb1", "address", "del", `${VIP}/32`, "dev", "eth0");
    const event = await agent.event((line) => line.event === "lost");
    assertEquals(event.lost, [VIP]);
    await agent.call("add");
    assert(await holds(lab, "lb1", VIP));
    await agent.call("remove");
    await agent.call("add");
    await lab.ip("lb1", "address", "del", `${VIP6}/128`, "dev", "eth0");
    await agent.event((line) => line.event === "lost" && (line.lost as string[])[0] === VIP6);
    assertEquals(agent.events.filter(({ event }) => event === "lost").length, 2);
  },
);

labTest(
  "VipHolder() removing a primary address does not take its neighbours with it",
  LAB_NEEDS,
  async () => {
    for (const [protect, via] of [[false, "netlink"], [false, "ip"], [true, "netlink"]] as const) {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      // Of another subnet than the node's own, so that the first one is primary and the others go with it.
      await agent.call("hold", { addresses: ["192.0.2.10/24"], leaseSeconds: 30, via, protect });
      await agent.call("add");
      await lab.ip("lb1", "address", "add", "192.0.2.11/24", "dev", "eth0");
      await lab.ip(
        "lb1",
        "address",
        "add",
        "192.0.2.12/24",
        "dev",
        "eth0",
        "valid_lft",
        "100",
        "preferred_lft",
        "100",
      );
      const outcome = await agent.call("remove") as { done: boolean; problems: string[] };
      assertEquals([outcome.done, outcome.problems.length], [true, protect ? 0 : 2]);
      const left = await addresses(lab, "lb1");
      assertEquals(["192.0.2.10/", "192.0.2.11/", "192.0.2.12/"].map((text) => left.includes(text)), [
        false,
        true,
        true,
      ]);
    }
  },
);

labTest(
  "VipHolder() with the sysctl a lease's end takes no neighbour with it either",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1");
    await using agent = await Agent.start(lab, "lb1");
    await agent.call("hold", { addresses: ["192.0.2.10/24"], leaseSeconds: 1, protect: true });
    await agent.call("add");
    await lab.ip("lb1", "address", "add", "192.0.2.11/24", "dev", "eth0");
    agent.signal("SIGKILL");
    await until(() => addresses(lab, "lb1"), (text) => !text.includes("192.0.2.10/"));
    assert(await holds(lab, "lb1", "192.0.2.11"));
  },
);

labTest(
  "VipHolder() an IPv6 address with the node's own prefix leaves the route to it",
  LAB_NEEDS,
  async () => {
    for (const via of ["netlink", "ip"] as const) {
      await using lab = await Lab.create("lb1");
      await using agent = await Agent.start(lab, "lb1");
      const route = () => lab.ip("lb1", "-6", "route", "show", "fd77::/64");
      const before = await route();
      await agent.call("hold", { addresses: [`${VIP6}/64`], leaseSeconds: 1, via });
      await agent.call("add");
      assert(
        (await lab.ip("lb1", "address", "show", "dev", "eth0")).includes("deprecated"),
        "never a source address",
      );
      assertEquals(await route(), before);
      await agent.call("remove");
      assertEquals(await route(), before);
      await agent.call("add");
      await until(() => addresses(lab, "lb1"), (text) => !text.includes(VIP6));
      assertEquals(await route(), before);
    }
  },
);

labTest(
  "LinkWatch() tells at once when the cable is pulled and plugged in, and keeps quiet otherwise",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1");
    await using agent = await Agent.start(lab, "lb1");
    await agent.call("hold", { addresses: BOTH, leaseSeconds: 1 });
    await agent.call("add");
    await agent.call("renew");
    await lab.cut("lb1");
    await agent.event((line) => line.event === "link" && line.running === false);
    await lab.heal("lb1");
    await agent.event((line) => line.event === "link" && line.running === true);
    await lab.ip("lb1", "link", "del", "eth0");
    await until(
      () => Promise.resolve(agent.events.filter(({ event }) => event === "link").length),
      (count) => count >= 3,
    );
    const links = agent.events.filter(({ event, name }) => event === "link" && name === "eth0");
    // An interface that is deleted goes down first: that may be told apart.
    assertEquals(links.slice(0, 3).map(({ running }) => running), [false, true, false]);
    assert(links.slice(3).every(({ running }) => running === false));
  },
);

labTest(
  "Announcer() sends a gratuitous request and reply, and an advertisement, that others receive",
  LAB_NEEDS,
  async () => {
    await using lab = await Lab.create("lb1", "client");
    await using one = await Agent.start(lab, "lb1");
    await using client = await Agent.start(lab, "client");
    await one.call("hold", { addresses: [`${VIP}/32`], leaseSeconds: 30 });
    await client.call("sniff", { etherType: 0x0806, count: 2 });
    assertEquals(await one.call("announce"), []);
    const own = (await lab.mac("lb1")).replaceAll(":", "");
    const frames = await client.call("sniffed") as string[];
    assertEquals(frames.map((frame) => frame.slice(0, 44)), [
      `ffffffffffff${own}08060001080006040001`,
      `ffffffffffff${own}08060001080006040002`,
    ]);
  },
);

labTest(
  "VipHolder() and Announcer() say which capability is missing",
  [...LAB_NEEDS, "setpriv"],
  async () => {
    await using lab = await Lab.create("lb1");
    await using agent = new Agent(lab.start("lb1", [
      "setpriv",
      "--bounding-set=-net_raw,-net_admin",
      ...denoCommand("vrrp_agent_program.ts"),
    ]));
    await agent.call("hold", { addresses: [`${VIP}/32`], leaseSeconds: 30 });
    const added = await agent.call("add");
    assertEquals(added, {
      done: false,
      problems: [`Cannot set ${VIP} on eth0: operation not permitted (needs CAP_NET_ADMIN)`],
    });
    const [problem] = await agent.call("announce") as string[];
    assert(problem?.includes("CAP_NET_RAW"), problem);
  },
);
