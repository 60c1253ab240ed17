/** `forward: dsr` with a real kernel: two nodes that elect, servers that answer for themselves, clients that stay. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { BIG, Forwarding, HeldConnections, VIP, VIP6 } from "./forwarding.ts";
import { Lab, LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "curl", "nft", "nginx"];
const SERVERS = ["s1", "s2", "s3"];

/** Listeners of both families on port 8080 over all servers, and an election of both addresses. */
function config({ lab }: Forwarding): string {
  const check = "check: { type: tcp, interval: 200ms, timeout: 5s, rise: 1, fall: 1 }";
  const pool = (addresses: string[]) =>
    `{ balance: maglev, hashOn: connection, ${check}, servers: [${
      addresses.map((one) => `"${one}:8080"`)
    }] }`;
  const instance = (name: string, address: string) =>
    `{ name: ${name}, interface: eth0, routerId: 51, addresses: ["${address}"], owners: [lb1, lb2], advertInterval: 500ms, ` +
    `keys: [{ id: 1, secret: "a secret of the lab" }] }`;
  return `listeners:
  - { name: web, bind: "${VIP}:8080", protocol: tcp, forward: dsr, pool: app }
  - { name: six, bind: "[${VIP6}]:8080", protocol: tcp, forward: dsr, pool: app6 }
pools:
  app: ${pool(SERVERS.map((name) => lab.address(name)))}
  app6: ${pool(SERVERS.map((name) => `[${lab.address6(name)}]`))}
vrrp: { instances: [${instance("edge", `${VIP}/24`)}, ${instance("edge6", `${VIP6}/64`)}] }
drainTimeout: 1s
`;
}

async function started(): Promise<Forwarding> {
  const forwarding = await Forwarding.create(["lb1", "lb2"], SERVERS);
  try {
    forwarding.write(config(forwarding));
    const setup = await forwarding.tandem("lb1", "doctor", "--server", "-c", forwarding.file);
    for (const name of SERVERS) await forwarding.lab.must(name, "sh", "-c", setup.stdout);
    forwarding.run("lb1");
    await forwarding.active("lb1");
    forwarding.run("lb2");
    await forwarding.open("lb2", ...SERVERS);
    await forwarding.open("lb1", ...SERVERS);
    return forwarding;
  } catch (error) {
    await forwarding[Symbol.asyncDispose]();
    throw error;
  }
}

labTest("dsr: open connections survive the loss of the node that has the address", NEEDS, async () => {
  await using forwarding = await started();
  const { lab } = forwarding;
  assertMatch(
    await forwarding.request(`http://${VIP}:8080/`),
    new RegExp(`^s. ${lab.address("client")} 8080$`),
  );
  assertMatch(
    await forwarding.request(`http://[${VIP6}]:8080/`),
    new RegExp(`^s. ${lab.address6("client")} 8080$`),
  );
  const held = new HeldConnections(lab, VIP, 8080, 30);
  const six = new HeldConnections(lab, VIP6, 8080, 10);
  const [answers, answers6] = [await held.ask(), await six.ask()];
  assertEquals([...new Set(answers)].sort(), SERVERS, "each server has some");
  const taken = (await forwarding.servers("lb1")).reduce((sum, { connections }) => sum + connections, 0);
  assertEquals(taken, 42);

  await lab.cut("lb1");
  await forwarding.active("lb2");
  assertEquals(await held.ask(), answers);
  assertEquals(await six.ask(), answers6);

  // Back again, by choice: nothing breaks either.
  await lab.heal("lb1");
  await forwarding.active("lb1");
  assertEquals(await held.ask(), answers);
  await held.close();
  await six.close();
});

labTest("dsr: when a server goes its connections end, and nobody else's", NEEDS, async () => {
  await using forwarding = await started();
  const held = new HeldConnections(forwarding.lab, VIP, 8080, 30);
  const answers = await held.ask();
  await forwarding.unserve("s3");
  await forwarding.open("lb1", "s1", "s2");
  const after = await held.ask();
  assertEquals(
    after.filter((_, at) => answers[at] !== "s3"),
    answers.filter((one) => one !== "s3"),
  );
  assert(after.every((one, at) => answers[at] !== "s3" || one === "gone"), String(after));
  await held.close();
});

labTest("dsr: an error about a server's packet reaches that server, of all", NEEDS, async () => {
  await using forwarding = await started();
  const { lab } = forwarding;
  // lb2 is a router now, with a link to the client that carries less than either end believes.
  await lab.ip(
    "lb2",
    "link",
    "add",
    "far",
    "type",
    "veth",
    "peer",
    "name",
    "near",
    "netns",
    lab.namespace("client"),
  );
  await lab.ip("lb2", "link", "set", "far", "up", "mtu", "1300");
  await lab.ip("client", "link", "set", "near", "up");
  for (const [end, of, address] of [["far", "lb2", "1"], ["near", "client", "2"]] as const) {
    await lab.ip(of, "address", "add", `10.99.0.${address}/24`, "dev", end);
    await lab.ip(of, "address", "add", `fd99::${address}/64`, "dev", end, "nodad");
  }
  await lab.ip("client", "link", "set", "eth0", "down");
  await lab.ip("client", "route", "add", "default", "via", "10.99.0.1");
  await lab.ip("client", "route", "add", "default", "via", "fd99::1");
  for (const server of SERVERS) {
    await lab.ip(server, "route", "add", "10.99.0.0/24", "via", lab.address("lb2"));
    await lab.ip(server, "route", "add", "fd99::/64", "via", lab.address6("lb2"));
  }
  for (const host of [VIP, `[${VIP6}]`]) {
    for (let at = 0; at < 6; at++) {
      const url = `http://${host}:8080/files/big`;
      const got = await lab.must(
        "client",
        "curl",
        "-gs",
        "-m",
        "20",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        url,
      );
      assertEquals(got, String(BIG), url);
    }
  }
});

labTest(
  "dsr: a datagram in one piece reaches a server, one in fragments is counted and does not",
  NEEDS,
  async () => {
    await using forwarding = await Forwarding.create(["lb"], ["s1"]);
    const { lab } = forwarding;
    forwarding.write(`listeners:
  - { name: echo, bind: "${VIP}:9000", protocol: udp, forward: dsr, pool: app, kernel: { interface: eth0 } }
pools: { app: { balance: maglev, servers: [${forwarding.server("s1", 9000)}] } }`);
    const setup = await forwarding.tandem("lb", "doctor", "--server", "-c", forwarding.file);
    await lab.must("s1", "sh", "-c", setup.stdout);
    await forwarding.own("lb");
    const start = (name: string, script: string, ...args: string[]) => {
      const child = lab.deno(name, script, ...args);
      void child.stdin.close();
      return child.stdout;
    };
    const echo = start("s1", "udp_echo_program.ts", "9000");
    const echoed = echo.getReader();
    await echoed.read();
    forwarding.run("lb");
    await forwarding.open("lb", "s1");
    const asking = start("client", "udp_ask_program.ts", VIP, "9000", "whole");
    assertEquals(await new Response(asking).text(), "whole\n");

    const before = await forwarding.servers("lb");
    const unanswered = start("client", "udp_ask_program.ts", VIP, "9000", "x".repeat(4000));
    const { kernel } = await forwarding.until("lb", ({ kernel }) => kernel.fragments > 0);
    assertEquals(kernel.fragments, 3, "4000 bytes in packets of 1500");
    assertEquals(kernel.services[0]!.servers[0]!.packetsIn, before[0]!.packetsIn, "none went to the server");
    await unanswered.cancel();
    await echoed.cancel();
  },
);

labTest("dsr: a dead balancer does not move the address, and rules that are missing do", NEEDS, async () => {
  await using forwarding = await started();
  const { lab } = forwarding;
  const before = await forwarding.active("lb1");
  Deno.kill(before.balancer.pid!, "SIGKILL");
  const { vrrp } = await forwarding.until(
    "lb1",
    ({ balancer }) => balancer.restarts === 1 && balancer.pid !== null,
  );
  const [now, then] = [vrrp.instances[0]!, before.vrrp.instances[0]!];
  assertEquals(now.state, "active", now.why);
  // A wall clock's time is known only so well.
  assert(Math.abs(now.since - then.since) < 100, "without a break");

  forwarding.breakNft("lb1");
  await lab.must("lb1", "nft", "delete", "table", "netdev", "tandem_lb1");
  await forwarding.active("lb2");
  await forwarding.until("lb1", ({ kernel }) => kernel.problem === "they cannot be set: it is broken");
});

labTest("dsr: an interface that is made anew, with the same MAC, forwards again", NEEDS, async () => {
  await using forwarding = await Forwarding.create(["lb"], ["s1"]);
  const { lab } = forwarding;
  forwarding.write(`listeners:
  - { name: web, bind: "${VIP}:8080", protocol: tcp, forward: dsr, pool: app, kernel: { interface: eth0 } }
pools: { app: { balance: maglev, servers: [${forwarding.server("s1")}] } }`);
  const setup = await forwarding.tandem("lb", "doctor", "--server", "-c", forwarding.file);
  await lab.must("s1", "sh", "-c", setup.stdout);
  await forwarding.own("lb");
  forwarding.run("lb");
  await forwarding.open("lb", "s1");
  assertMatch(await forwarding.request(`http://${VIP}:8080/`), /^s1 /);

  const [{ address: mac }] = JSON.parse(await lab.ip("lb", "-j", "link", "show", "eth0"));
  await lab.ip("lb", "link", "del", "eth0");
  // As kernels before 6.16 do; later ones find the interface by its name again.
  await lab.must("lb", "nft", "delete", "chain", "netdev", "tandem_lb", "at/eth0");
  const peer = ["type", "veth", "peer", "name", "p-lb", "netns", lab.namespace("switch")];
  await lab.ip("lb", "link", "add", "eth0", "address", mac, ...peer);
  await lab.ip("switch", "link", "set", "p-lb", "master", "br0", "up");
  await lab.ip("lb", "link", "set", "eth0", "up");
  await lab.ip("lb", "address", "add", `${lab.address("lb")}/24`, "dev", "eth0");
  await forwarding.own("lb");
  while (await forwarding.request(`http://${VIP}:8080/`) === "");
});

labTest("dsr: servers behind a router, or that are the node itself, are refused", NEEDS, async () => {
  await using forwarding = await Forwarding.create(["lb"], []);
  const { lab } = forwarding;
  await lab.ip("lb", "route", "add", "10.99.0.0/24", "via", "10.77.0.1");
  forwarding.write(`listeners:
  - { name: web, bind: "${VIP}:80", protocol: tcp, forward: dsr, pool: app, kernel: { interface: eth0 } }
pools: { app: { balance: maglev, servers: ["10.99.0.5:80", "${lab.address("lb")}:80", "10.88.0.1:80"] } }`);
  const run = await forwarding.tandem("lb", "run", "-c", forwarding.file);
  assertEquals(run.success, false);
  assertStringIncludes(run.stderr, "Cannot forward to 10.99.0.5 by dsr as it is behind a router (10.77.0.1)");
  assertStringIncludes(run.stderr, `Cannot forward to ${lab.address("lb")} by dsr as it is this node itself`);
  assertStringIncludes(run.stderr, "Cannot forward to 10.88.0.1 by dsr as there is no way to it");
});

labTest("the rules of the golden files are ones that nft and the kernel take", NEEDS, async () => {
  await using lab = await Lab.create("lb");
  await lab.ip("lb", "link", "add", "eth1", "type", "veth", "peer", "name", "other");
  const golden = new URL("../kernel/golden/", import.meta.url);
  for (const { name } of Deno.readDirSync(golden)) {
    await lab.must("lb", "nft", "-f", new URL(name, golden).pathname);
  }
});
