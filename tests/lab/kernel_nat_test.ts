/** `forward: nat` with a real kernel, real servers and a real client. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Forwarding, HeldConnections, VIP, VIP6 } from "./forwarding.ts";
import { LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "curl", "nft", "nginx", "setpriv"];
const CHECK = "check: { type: tcp, interval: 200ms, timeout: 5s, rise: 1, fall: 1 }";

/** One listener on port 80 over s1 and s2, the second with twice the weight. */
function twoServers(
  forwarding: Forwarding,
  options: { kernel?: string; state?: string; node?: string } = {},
): string {
  const { kernel = "{}", state = "ready", node = "{}" } = options;
  return `listeners:
  - { name: web, bind: "${VIP}:80", protocol: tcp, forward: nat, pool: app, kernel: ${kernel} }
pools:
  app:
    servers:
      - { address: ${forwarding.server("s1")}, state: ${state} }
      - { address: ${forwarding.server("s2")}, weight: 2 }
    ${CHECK}
kernel: ${node}
drainTimeout: 1s
`;
}

async function started(config: (forwarding: Forwarding) => string): Promise<Forwarding> {
  const forwarding = await Forwarding.create(["lb"], ["s1", "s2"]);
  try {
    await forwarding.own("lb");
    forwarding.write(config(forwarding));
    forwarding.run("lb");
    await forwarding.open("lb", "s1", "s2");
    return forwarding;
  } catch (error) {
    await forwarding[Symbol.asyncDispose]();
    throw error;
  }
}

labTest(
  "nat: balanced by weight, counted, and taken away at the end with nothing else touched",
  NEEDS,
  async () => {
    await using forwarding = await started((one) => twoServers(one));
    const { lab } = forwarding;
    await lab.must("lb", "nft", "add table inet somebody");
    assertEquals(await forwarding.spread(6), { s1: 2, s2: 4 });
    assertMatch(
      await forwarding.request(),
      new RegExp(`^s. ${lab.address("lb")} `),
      "the server sees the node",
    );
    assertMatch(await forwarding.request(`http://${VIP}/`, "lb"), /^s/, "the node itself is a client too");

    const servers = await forwarding.servers("lb");
    assertEquals(servers.reduce((sum, { connections }) => sum + connections, 0), 8);
    assert(
      servers.every(({ packetsIn, packetsOut, bytesIn, bytesOut }) =>
        packetsIn > 0 && packetsOut > 0 && bytesIn > 60 && bytesOut > 60
      ),
    );
    const page = await lab.must(
      "lb",
      "curl",
      "-s",
      "--unix-socket",
      `${forwarding.directory}/lb.sock`,
      "http://x/metrics",
    );
    assertStringIncludes(page, "\ntandem_kernel_rules_in_force 1\n");
    assertMatch(page, /\ntandem_kernel_connections_total\{listener="web",pool="app",server="[^"]*"\} [1-9]/);
    const { stdout } = await forwarding.tandem("lb", "status");
    assertStringIncludes(stdout, `listener web (tcp, nat) on ${VIP}:80: pool app, roundRobin`);

    assertEquals(await forwarding.end("lb", "SIGTERM"), 0);
    const left = await forwarding.rules("lb");
    assertStringIncludes(left, "table inet somebody");
    assert(!left.includes("tandem"), left);
  },
);

labTest(
  "nat: a server that dies is out, one that drains keeps what it has, and a reload keeps the counters",
  NEEDS,
  async () => {
    await using forwarding = await started((one) => twoServers(one));
    await forwarding.unserve("s2");
    await forwarding.open("lb", "s1");
    assertEquals(await forwarding.spread(3), { s1: 3 });
    await forwarding.serve("s2");
    await forwarding.open("lb", "s1", "s2");

    const held = new HeldConnections(forwarding.lab, VIP, 80, 3);
    const answers = await held.ask();
    const before = (await forwarding.servers("lb")).reduce((sum, { connections }) => sum + connections, 0);
    forwarding.write(twoServers(forwarding, { state: "drain" }));
    await forwarding.reload("lb");
    await forwarding.open("lb", "s2");
    assertEquals(await held.ask(), answers);
    assertEquals(await forwarding.spread(3), { s2: 3 });
    const after = (await forwarding.servers("lb")).reduce((sum, { connections }) => sum + connections, 0);
    assertEquals(after, before + 3);
    // The same by an operator, without the file.
    const name = (server: string) => `app/${JSON.parse(forwarding.server(server))}`;
    for (const words of [["ready", name("s1")], ["maint", name("s2")]]) {
      assertEquals((await forwarding.tandem("lb", ...words)).stderr, "");
    }
    await forwarding.open("lb", "s1");
    assertEquals(await forwarding.spread(3), { s1: 3 });
    assertEquals(await held.ask(), answers);
    await held.close();
  },
);

labTest("nat: connections to a server that is down are reset where that is wanted", NEEDS, async () => {
  await using forwarding = await started((one) => twoServers(one, { kernel: "{ whenServerDown: reset }" }));
  const { lab } = forwarding;
  const held = new HeldConnections(lab, VIP, 80);
  const [server = ""] = await held.ask();
  // It hangs: nothing but Tandem would tell the client.
  const chain = "{ type filter hook input priority 0; iifname eth0 drop; }";
  await lab.must(server, "nft", `table inet lab { chain in ${chain}; }`);
  await forwarding.open("lb", server === "s1" ? "s2" : "s1");
  assertEquals(await held.ask(), ["gone"]);
  await held.close();
});

labTest(
  "nat: a node that is killed leaves its rules at work, and the next start or vip clean takes them away",
  NEEDS,
  async () => {
    await using forwarding = await started((one) => twoServers(one));
    await forwarding.end("lb", "SIGKILL");
    assertEquals(await forwarding.spread(3), { s1: 1, s2: 2 });
    const { stdout } = await forwarding.tandem("lb", "vip", "clean", "-c", forwarding.file);
    assertStringIncludes(stdout, "removed the kernel's rules (table tandem_lb)");
    assertEquals(await forwarding.rules("lb"), "");
    assertEquals(await forwarding.request(), "", "refused by the node itself");
  },
);

labTest(
  "nat: rules that are to be kept forward while Tandem is down, and go on counting after it",
  NEEDS,
  async () => {
    await using forwarding = await started((one) => twoServers(one, { node: "{ onExit: keep }" }));
    const held = new HeldConnections(forwarding.lab, VIP, 80);
    const [server = ""] = await held.ask();
    assertEquals(await forwarding.end("lb", "SIGTERM"), 0);
    assertEquals(await forwarding.spread(3), { s1: 1, s2: 2 });
    assertEquals((await forwarding.tandem("lb", "vip", "clean", "-c", forwarding.file)).stdout, "");
    forwarding.run("lb");
    await forwarding.open("lb", "s1", "s2");
    assertEquals(await held.ask(), [server]);
    assertEquals((await forwarding.servers("lb")).reduce((sum, { connections }) => sum + connections, 0), 4);
    await held.close();
  },
);

labTest("nat: rules that somebody flushes are set again", NEEDS, async () => {
  await using forwarding = await started((one) => twoServers(one));
  await forwarding.lab.must("lb", "nft", "flush", "ruleset");
  while (!(await forwarding.rules("lb")).includes("table inet tandem_lb")) await forwarding.servers("lb");
  assertEquals(await forwarding.spread(3), { s1: 1, s2: 2 });
});

labTest(
  "nat: IPv6, datagrams, a range of ports, gateways, and clients that are remembered",
  NEEDS,
  async () => {
    await using forwarding = await started(({ lab }) => {
      const six = (name: string) => `"[${lab.address6(name)}]:8080"`;
      const four = [`"${lab.address("s1")}:8080"`, `"${lab.address("s2")}:8080"`];
      return `listeners:
  - { name: range, bind: "${VIP}:8080-8082", protocol: tcp, forward: nat, pool: app, kernel: { masquerade: false } }
  - { name: sticky, bind: "${VIP}:81", protocol: tcp, forward: nat, pool: app, kernel: { persist: 5m } }
  - { name: datagrams, bind: "${VIP}:53", protocol: udp, forward: nat, pool: names }
  - { name: six, bind: "[${VIP6}]:80", protocol: tcp, forward: nat, pool: both }
pools:
  both: { servers: [${four}, ${six("s1")}, ${six("s2")}] }
  app: { servers: [${four}], ${CHECK} }
  names: { balance: random, servers: ["${lab.address("s1")}:5353"] }
`;
    });
    const { lab } = forwarding;
    assertEquals(await forwarding.spread(4, `http://[${VIP6}]/`), { s1: 2, s2: 2 });
    // A client behind the node, so that servers with the node as their gateway answer through it.
    await lab.ip("lb", "address", "add", "10.99.0.1/24", "dev", "eth0");
    await lab.ip("client", "address", "flush", "dev", "eth0");
    await lab.ip("client", "address", "add", "10.99.0.2/24", "dev", "eth0");
    await lab.ip("client", "route", "add", "default", "via", "10.99.0.1");
    for (const name of ["s1", "s2"]) await lab.ip(name, "route", "add", "default", "via", lab.address("lb"));
    assertMatch(
      await forwarding.request(`http://${VIP}:8082/`),
      /^s. 10\.99\.0\.2 8082$/,
      "as the client sent it",
    );

    const server = (await forwarding.request(`http://${VIP}:81/`)).split(" ")[0]!;
    assertEquals(await forwarding.spread(3, `http://${VIP}:81/`), { [server]: 3 });
    const other = server === "s1" ? "s2" : "s1";
    await forwarding.unserve(server);
    while ((await forwarding.request(`http://${VIP}:81/`)).split(" ")[0] !== other);
    await forwarding.serve(server);
    while ((await forwarding.servers("lb")).some(({ open }) => !open));
    assertEquals(await forwarding.spread(3, `http://${VIP}:81/`), { [other]: 3 }, "whoever moved stays");

    const echo = lab.deno("s1", "udp_echo_program.ts", "5353");
    void echo.stdin.close();
    const echoed = echo.stdout.getReader();
    await echoed.read();
    const asking = lab.deno("client", "udp_ask_program.ts", VIP, "53", "hello");
    void asking.stdin.close();
    const { stdout } = await asking.output();
    assertEquals(new TextDecoder().decode(stdout), "hello\n");
    await echoed.cancel();
  },
);

labTest("nat: what the machine lacks is told with the fix, at check and at the start", NEEDS, async () => {
  await using forwarding = await Forwarding.create(["lb"], []);
  const { lab, file } = forwarding;
  forwarding.write(`listeners: [{ name: web, bind: "${VIP}:80", protocol: tcp, forward: nat, pool: app }]
pools: { app: { servers: ["10.77.0.99:80"] } }`);
  await lab.must("lb", "sysctl", "-qw", "net.ipv4.ip_forward=0");
  const lack =
    'Cannot have the kernel forward IPv4 as net.ipv4.ip_forward is 0: run "sysctl -w net.ipv4.ip_forward=1"';
  const checked = await forwarding.tandem("lb", "check", "-c", file);
  assert(checked.success, "the file may be for another machine");
  assertStringIncludes(checked.stderr, `warning: on this machine: ${lack}`);
  const run = await forwarding.tandem("lb", "run", "-c", file);
  assertEquals(run.success, false);
  assertStringIncludes(run.stderr, "net.ipv4.ip_forward is 0");

  const unable = await lab.run(
    "lb",
    "setpriv",
    "--bounding-set=-net_admin",
    "sh",
    "-c",
    forwarding.shell("check", "-c", file),
  );
  assertStringIncludes(unable.stderr, "it needs CAP_NET_ADMIN");
  const bare = await lab.run(
    "lb",
    "env",
    "PATH=/nowhere",
    "/bin/sh",
    "-c",
    forwarding.shell("check", "-c", file),
  );
  assertStringIncludes(bare.stderr, "nft is not installed (Debian: nftables)");
});
