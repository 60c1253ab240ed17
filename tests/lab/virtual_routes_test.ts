/** Routes and rules that are where the address is: through a take-over, a kill, somebody who removes them, a reload. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { pause, type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const ROUTERS: readonly Router[] = [{ id: 95, version: 3, intervalMs: 100, addresses: ["10.77.0.195/24"] }];
const SIX: readonly Router[] = [
  { id: 96, version: 3, intervalMs: 100, addresses: ["fe80::5:96/64", "fd77::96/64"] },
];

const ROUTES = "virtualRoutes: [{ to: 10.99.0.0/16, via: 10.77.0.200 }, " +
  "{ to: default, via: 10.78.0.200, device: eth1, metric: 50, table: 1000 }, { to: 10.98.0.0/16, type: blackhole }], " +
  "virtualRules: [{ from: 10.99.0.0/16, table: 1000, priority: 900 }]";
const ROUTES6 = 'virtualRoutes: [{ to: "fd99::/64", via: "fd77::200" }]';

/** What a node's kernel has of ours. */
async function ours(speakers: Speakers, node: string): Promise<string[]> {
  const { lab } = speakers;
  const routes = await lab.ip(node, "-4", "route", "show", "table", "all", "proto", "112");
  const routes6 = await lab.ip(node, "-6", "route", "show", "table", "all", "proto", "112");
  const rules = await lab.ip(node, "rule", "show", "priority", "900");
  const all = [routes, routes6, rules].flatMap((text) => text.split("\n"));
  return all.map((text) => text.trim().replace(/ expires.*| +pref medium/g, "").replace(/\s+/g, " "))
    .filter((text) => text !== "");
}

async function until(speakers: Speakers, node: string, wanted: readonly string[]): Promise<void> {
  for (;;) {
    const found = await ours(speakers, node);
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (Deno.env.has("TANDEM_LAB_LOG")) console.log(node, found);
    await pause(50);
  }
}

const ALL = [
  "default via 10.78.0.200 dev eth1 table 1000 src 10.77.0.195 metric 50",
  "blackhole 10.98.0.0/16",
  "10.99.0.0/16 via 10.77.0.200 dev eth0 src 10.77.0.195",
  "900: from 10.99.0.0/16 lookup 1000 proto 112",
];

labTest(
  "VRRP virtualRoutes: they are set and taken off with the address, put back, and left behind by no kill",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2");
    const { lab } = speakers;
    await lab.second("lb1", "lb2");
    for (const [node, priority] of [["lb1", 200], ["lb2", 100]] as const) {
      speakers.write(node, ROUTERS, { priority }, ROUTES);
      speakers.tandem(node);
      await speakers.holds("lb1", ROUTERS, true);
    }
    await until(speakers, "lb1", ALL);
    assertEquals(await ours(speakers, "lb2"), []);

    // Somebody removes what is ours: it comes back.
    await lab.ip("lb1", "route", "del", "10.99.0.0/16");
    await lab.ip("lb1", "rule", "del", "priority", "900");
    await until(speakers, "lb1", ALL);

    await speakers.end("lb1", "SIGTERM");
    await until(speakers, "lb2", ALL);
    assertEquals(await ours(speakers, "lb1"), []);

    // Somebody's own of the same destination stays what it is.
    await lab.ip("lb1", "route", "add", "10.99.0.0/16", "via", "10.77.0.201");
    speakers.tandem("lb1");
    await until(speakers, "lb1", ALL.filter((text) => !text.startsWith("10.99")));
    await until(speakers, "lb2", []);
    assertStringIncludes(await lab.ip("lb1", "route", "show", "10.99.0.0/16"), "via 10.77.0.201");
    await lab.ip("lb1", "route", "del", "10.99.0.0/16");
    await until(speakers, "lb1", ALL);

    // Killed, its routes of the main table go with the lease of their source; what has none is cleaned up.
    await speakers.end("lb1", "SIGKILL");
    await until(speakers, "lb2", ALL);
    await until(speakers, "lb1", ALL.filter((text) => !text.startsWith("10.99")));
    const cleaned = await speakers.clean("lb1");
    assertEquals(cleaned.split("\n").filter((line) => !line.includes("10.77.0.195")), [
      "removed rule 900: from 10.99.0.0/16 lookup 1000",
      "removed default via 10.78.0.200 in table 1000",
      "removed blackhole 10.98.0.0/16",
      "",
    ]);
    assertEquals(await ours(speakers, "lb1"), []);

    speakers.write("lb2", ROUTERS, { priority: 100 });
    await speakers.reload("lb2");
    await until(speakers, "lb2", []);
  },
);

labTest(
  "VRRP virtualRoutes of IPv6 have a lease of their own",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1");
    const { lab } = speakers;
    speakers.write("lb1", SIX, { priority: 200 }, ROUTES6);
    speakers.tandem("lb1");
    await until(speakers, "lb1", ["fd99::/64 via fd77::200 dev eth0 metric 1024"]);
    const leased = async () =>
      (await lab.ip("lb1", "-6", "route", "show", "proto", "112")).match(/expires (\d+)sec/);
    assert(Number((await leased())![1]) <= 1);
    await pause(2000);
    assert(await leased() !== null, "it is renewed");
    await speakers.end("lb1", "SIGKILL");
    // The kernel keeps it on its list for a while, and uses it no more.
    const found = () => lab.run("lb1", "ip", "-6", "route", "get", "fd99::1");
    while ((await found()).success) await pause(50);
  },
);
