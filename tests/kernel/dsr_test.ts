import { dsrTable } from "../../mod/kernel/dsr.ts";
import { type Lan, lookUps, readLan, sameLan } from "../../mod/kernel/lan.ts";
import { serverSetup } from "../../mod/kernel/server_setup.ts";
import { NO_OBJECTS, type Table, tableText } from "../../mod/kernel/table.ts";
import { transaction, unreachable } from "../../mod/kernel/transaction.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { assertGolden, planOf, shares } from "./golden.ts";

const SERVERS = `{ name: a, address: "10.0.0.11:443" }, { name: b, address: "10.0.0.12:443" }`;
const TEXT = (more = "", servers = SERVERS) =>
  `listeners:
  - { name: web, bind: "203.0.113.10:443", protocol: tcp, forward: dsr, pool: app, kernel: { interface: eth0 } }
pools: { app: { balance: maglev, ${more} servers: [${servers}] } }`;
const LAN: Lan = {
  devices: new Map([["eth0", { mac: "02:00:00:00:00:01", index: 2 }]]),
  servers: new Map([["10.0.0.11", "02:00:00:00:00:0a"], ["10.0.0.12", "02:00:00:00:00:0b"]]),
};
const BOTH = shares({ a: 1, b: 1 });

async function table(text: string, given = BOTH, lan = LAN): Promise<Table> {
  const made = dsrTable(await planOf(text), given, lan);
  assert(made !== null);
  return made;
}

Deno.test("dsrTable() one server takes all: the frame gets its MAC and is sent on", async () => {
  await assertGolden("dsr.nft", tableText(await table(TEXT(), shares({ a: 1, "!b": 0 }))));
});

Deno.test("dsrTable() datagrams, both families, a range of ports", async () => {
  const text = `listeners:
  - { name: media, bind: ["203.0.113.10:8000-8099", "[2001:db8::10]:8000-8099"], protocol: udp, forward: dsr, pool: app }
pools: { app: { balance: maglev, hashOn: connection, servers: ["10.0.0.11:8000", "[2001:db8::11]:8000"] } }
vrrp:
  instances:
    - { name: edge, interface: eth1, routerId: 7, addresses: [203.0.113.10/24], priority: 100 }
    - { name: edge6, interface: eth1, routerId: 7, addresses: ["2001:db8::10/64"], priority: 100 }
`;
  const lan = {
    devices: new Map([["eth1", { mac: "02:00:00:00:00:01", index: 3 }]]),
    servers: new Map([["10.0.0.11", "02:00:00:00:00:0a"], ["2001:db8::11", "02:00:00:00:00:0c"]]),
  };
  const given = shares({ "10.0.0.11:8000": 1, "[2001:db8::11]:8000": 1 });
  await assertGolden("dsr-all.nft", tableText(await table(text, given, lan)));
});

Deno.test("dsrTable() packets and the errors that quote them go by the same table", async () => {
  const { chains } = await table(TEXT("hashOn: connection,"));
  const rule = (name: string) => chains.find((chain) => chain.name === name)?.rules[0] ?? "";
  const [packets, errors] = [rule("to4/web"), rule("err4/web")];
  assertStringIncludes(
    packets,
    "jhash ip saddr . tcp sport mod 4093 seed 0x74616e64 vmap { 0 : goto to/web/",
  );
  assertStringIncludes(
    errors,
    "jhash @th,192,32 . @th,240,16 mod 4093 seed 0x74616e64 vmap { 0 : goto to/web/",
  );
  assertEquals(errors.slice(errors.indexOf("vmap")), packets.slice(packets.indexOf("vmap")));
});

Deno.test("dsrTable() a server whose MAC is not known gets nothing, which is told", async () => {
  const lan = { ...LAN, servers: new Map([["10.0.0.11", "02:00:00:00:00:0a"]]) };
  const { chains } = await table(TEXT(), BOTH, lan);
  assertEquals(chains.find(({ name }) => name === "to4/web")?.rules, ["goto to/web/a"]);
  const plan = await planOf(TEXT());
  assertEquals(unreachable(plan, BOTH, lan), "10.0.0.12 does not tell its MAC");
  assertEquals(unreachable(plan, shares({ a: 1, "!b": 0 }), lan), "");
  assertEquals(
    unreachable(plan, BOTH, { ...LAN, devices: new Map() }),
    "there is no interface eth0 with a MAC",
  );
});

Deno.test("transaction() waits for what has to be known first, and removes what is not wanted", async () => {
  const plan = await planOf(TEXT());
  assertEquals(transaction(plan, BOTH, null, new Map()), null);
  assertEquals(transaction(plan, new Map(), LAN, new Map()), null);
  const first = transaction(plan, BOTH, LAN, new Map([["inet", NO_OBJECTS]]));
  assertStringIncludes(first!.text, "delete table inet tandem_lb1\nadd table netdev tandem_lb1\n");
  const second = transaction(plan, BOTH, LAN, first!.after);
  assertEquals([second?.wanted, second?.text], [first!.wanted, first!.wanted]);
  assertStringIncludes(first!.anew(), "delete table netdev tandem_lb1\nadd table netdev tandem_lb1\nflush");
});

Deno.test("transaction() sets the rules again for an interface that was made anew, with the same MAC", async () => {
  const plan = await planOf(TEXT());
  const { mac } = LAN.devices.get("eth0")!;
  const anew = { ...LAN, devices: new Map([["eth0", { mac, index: 9 }]]) };
  assert(!sameLan(LAN, anew));
  const [one, other] = [LAN, anew].map((lan) => transaction(plan, BOTH, lan, new Map())!);
  assert(one!.wanted !== other!.wanted, "they are not in force yet");
});

Deno.test("dsrTable() a packet costs one look-up for all listeners of a device", async () => {
  const listener = (name: string, port: number) =>
    `  - { name: ${name}, bind: "203.0.113.10:${port}", protocol: tcp, forward: dsr, pool: ${name}, kernel: { interface: eth0 } }`;
  const pool = (name: string, port: number) =>
    `  ${name}: { balance: maglev, servers: [{ name: a, address: "10.0.0.11:${port}" }] }`;
  const text = [
    "listeners:",
    listener("web", 80),
    listener("mail", 25),
    "pools:",
    pool("web", 80),
    pool("mail", 25),
  ]
    .join("\n");
  const one = { share: 1, up: true };
  const given = new Map(["web", "mail"].map((name) => [name, new Map([["a", one]])] as const));
  const { chains } = await table(text, given);
  const rules = chains.find(({ name }) => name === "at4/eth0")?.rules ?? [];
  assertEquals(
    rules[1],
    "ip daddr 203.0.113.10 tcp dport vmap { 80 : goto to4/web, 25 : goto to4/mail }",
  );
});

Deno.test("readLan() reads what ip tells, and keeps what it knew of a neighbour that is being looked for", async () => {
  const plan = await planOf(TEXT());
  const links = JSON.stringify([
    { ifname: "lo", ifindex: 1, address: "00:00:00:00:00:00" },
    { ifname: "eth0", ifindex: 2, address: "02:00:00:00:00:01" },
    { ifname: "tun0", ifindex: 3 },
  ]);
  const rows = (b: Record<string, unknown>) =>
    JSON.stringify([
      { dst: "10.0.0.11", dev: "eth0", lladdr: "02:00:00:00:00:0a", state: ["STALE"] },
      { dst: "10.0.0.11", dev: "eth1", lladdr: "02:00:00:00:00:ff", state: ["REACHABLE"] },
      { dst: "10.0.0.12", dev: "eth0", ...b },
    ]);
  const whole = readLan(
    plan,
    { devices: new Map(), servers: new Map() },
    links,
    rows({ lladdr: "02:00:00:00:00:0b" }),
  );
  assertEquals(whole.servers, LAN.servers);
  assertEquals(whole.devices.get("eth0"), { mac: "02:00:00:00:00:01", index: 2 });
  assert(!whole.devices.has("tun0"));
  assert(sameLan(readLan(plan, whole, links, rows({ state: ["FAILED"] })), whole));
  assert(!sameLan(readLan(plan, whole, links, rows({ lladdr: "02:00:00:00:00:0c" })), whole));
  assertEquals(lookUps(plan), "neigh replace 10.0.0.11 dev eth0 use\nneigh replace 10.0.0.12 dev eth0 use\n");
});

Deno.test("serverSetup() is a shell's, and keeps the address from the network before it is there", async () => {
  assertEquals(
    serverSetup(await planOf(TEXT())),
    `# Listener web: as root on each of 10.0.0.11, 10.0.0.12
sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
ip address replace 203.0.113.10/32 dev lo
# The service listens on port 443 of 203.0.113.10 or of every address.
# For the next start: the settings in a file of /etc/sysctl.d, the addresses in the network's configuration.
`,
  );
});
