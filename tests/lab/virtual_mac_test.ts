/** The virtual MAC: a client keeps what it knows, whoever has the address; and nothing is left behind. */
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import { assert, assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { pause, type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const MAC = "00:00:5e:00:01:33";
const VIP = "10.77.0.151";
const ROUTERS: readonly Router[] = [
  { id: 51, version: 3, intervalMs: 100, addresses: [`${VIP}/32`], virtualMac: true },
];

/** A node that is backup hears adverts from the same MAC as its own, for far longer than it would wait for one. */
async function hearsOthers(speakers: Speakers, node: string): Promise<void> {
  const hears = ({ state, adverts }: InstanceStatus) => state === "backup" && adverts.received > 10;
  for (const { adverts } of await speakers.until(node, hears)) assertEquals(adverts.sent, 0, node);
}

/** The MAC that the client has for the address, after it was asked. */
async function known(speakers: Speakers): Promise<string> {
  await speakers.lab.run("client", "curl", "-s", "-o", "/dev/null", "-m", "0.2", `http://${VIP}:81/`);
  return await speakers.lab.neighbour("client", VIP);
}

labTest(
  "VRRP virtualMac: a client sees one MAC whoever has the address, and the node puts back what it changed",
  [...LAB_NEEDS, "keepalived", "tcpdump", "tshark", "pgrep", "curl"],
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2", "ka1", "client");
    const { lab } = speakers;
    const read = (name: string) => lab.must("lb1", "cat", `/proc/sys/net/ipv4/conf/eth0/${name}`);
    const before = [await read("arp_ignore"), await read("arp_announce")];
    // As strict as a distribution may have it.
    const strict = "for kind in all default eth0; do echo 1 > /proc/sys/net/ipv4/conf/$kind/rp_filter; done";
    for (const name of ["lb1", "lb2"]) await lab.must(name, "sh", "-c", strict);
    const recording = await speakers.record("client");
    speakers.write("lb1", ROUTERS, { priority: 200 });
    speakers.tandem("lb1");
    await speakers.until("lb1", ({ state }) => state === "active");
    await speakers.holds("lb1", ROUTERS, true);
    assertEquals(await known(speakers), MAC);
    const kept = [
      "ipv4/conf/vrrp.51/rp_filter",
      "ipv4/conf/vrrp.51/arp_ignore",
      "ipv6/conf/vrrp.51/addr_gen_mode",
    ];
    const values = await Promise.all(kept.map((name) => lab.must("lb1", "cat", `/proc/sys/net/${name}`)));
    assertEquals(values.map((value) => value.trim()), ["2", "1", "1"]);
    // The node's own address keeps the interface's MAC, also when the virtual one could answer.
    await lab.run("client", "curl", "-s", "-o", "/dev/null", "-m", "0.2", `http://${lab.address("lb1")}:81/`);
    const own = await lab.mac("lb1");
    assert((await lab.ip("client", "neighbour", "show", lab.address("lb1"))).includes(own));
    const { stdout } = await lab.run(
      "client",
      "curl",
      "-s",
      "-m",
      "1",
      "-w",
      "%{http_code}",
      `http://${VIP}/`,
    );
    assert(/^\D*\d{3}$/.test(stdout.trim().slice(-3)), stdout);

    speakers.write("lb2", ROUTERS, { priority: 100 });
    speakers.tandem("lb2");
    await hearsOthers(speakers, "lb2");
    await speakers.end("lb1", "SIGTERM");
    await speakers.holds("lb2", ROUTERS, true);
    assertEquals(await known(speakers), MAC);
    assertEquals([await read("arp_ignore"), await read("arp_announce")], before);
    assert(!(await lab.ip("lb1", "-br", "link")).includes("vrrp.51"));

    speakers.tandem("lb1");
    await speakers.holds("lb1", ROUTERS, true);
    await speakers.holds("lb2", ROUTERS, false);
    assertEquals(await known(speakers), MAC);
    // Killed, it leaves the interface, without the address; and starts again on it.
    await speakers.end("lb1", "SIGKILL");
    await speakers.holds("lb2", ROUTERS, true);
    await speakers.holds("lb1", ROUTERS, false);
    // Between keepalived and us: it takes what nobody holds, and gives back what is ours.
    speakers.keepalived("ka1", ROUTERS, { priority: 50 });
    await pause(1000);
    await speakers.end("lb2", "SIGTERM");
    await speakers.holds("ka1", ROUTERS, true);
    speakers.write("lb2", ROUTERS, { priority: 10 });
    speakers.tandem("lb2");
    await hearsOthers(speakers, "lb2");
    speakers.tandem("lb1");
    await speakers.holds("lb1", ROUTERS, true);
    await speakers.holds("ka1", ROUTERS, false);
    assertEquals(await known(speakers), MAC);

    const heard = await recording.read();
    assertEquals(heard.filter(({ mac, good, ttl }) => mac !== MAC || !good || ttl !== 255), []);
    for (const name of ["lb1", "lb2", "ka1"]) {
      assert(heard.some(({ source }) => source === lab.address(name)), name);
    }
  },
);

const MAC6 = "00:00:5e:00:02:36";
const VIP6 = "fd77::150";
const ROUTERS6: readonly Router[] = [
  { id: 54, version: 3, intervalMs: 100, addresses: ["fe80::5:54/64", `${VIP6}/64`], virtualMac: true },
];

labTest(
  "VRRP virtualMac of IPv6: a client sees one MAC whoever has the address, Tandem or keepalived, and reaches it",
  [...LAB_NEEDS, "keepalived", "tcpdump", "tshark", "pgrep", "curl"],
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2", "ka1", "client");
    const { lab } = speakers;
    const known6 = async () => {
      const url = `http://[${VIP6}]:81/`;
      await lab.run("client", "curl", "-g", "-s", "-o", "/dev/null", "-m", "0.2", url);
      return await lab.neighbour("client", VIP6);
    };
    const recording = await speakers.record("client");
    for (const [node, priority] of [["lb1", 200], ["lb2", 100]] as const) {
      speakers.write(node, ROUTERS6, { priority });
      speakers.tandem(node);
      await speakers.holds("lb1", ROUTERS6, true);
    }
    assertEquals(await known6(), MAC6);
    // Routers' advertisements make no address from a MAC that several nodes have.
    assertEquals((await lab.must("lb1", "cat", "/proc/sys/net/ipv6/conf/vrrp6.54/accept_ra")).trim(), "0");
    const routes = await lab.ip("lb1", "-6", "route", "show", "dev", "vrrp6.54");
    assert(!routes.includes("fd77::/64"), routes);
    // By the global address and the link-local one; the balancer may still be starting.
    for (const host of [`[${VIP6}]`, "[fe80::5:54%25eth0]"]) {
      const curl = [
        "curl",
        "-g",
        "-s",
        "-o",
        "/dev/null",
        "-m",
        "1",
        "-w",
        "%{http_code}",
        `http://${host}/`,
      ] as const;
      while ((await lab.run("client", ...curl)).stdout === "000") await pause(100);
    }
    await speakers.end("lb1", "SIGTERM");
    await speakers.holds("lb2", ROUTERS6, true);
    assertEquals(await known6(), MAC6);
    assert(!(await lab.ip("lb1", "-br", "link")).includes("vrrp6"));
    speakers.keepalived("ka1", ROUTERS6, { priority: 150 });
    await speakers.holds("ka1", ROUTERS6, true);
    await speakers.holds("lb2", ROUTERS6, false);
    const heardBefore = (await speakers.instances("lb2"))[0]!.adverts;
    await speakers.until(
      "lb2",
      ({ state, adverts }) => state === "backup" && adverts.received > heardBefore.received + 10,
    );
    assertEquals(await known6(), MAC6);
    await speakers.end("ka1", "SIGTERM");
    await speakers.holds("lb2", ROUTERS6, true);
    assertEquals(await known6(), MAC6);
    const heard = await recording.read();
    assertEquals(heard.filter(({ mac, good, ttl }) => mac !== MAC6 || !good || ttl !== 255), []);
  },
);
