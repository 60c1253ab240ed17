/** One address between Tandem and keepalived, or FRR, by VRRP itself: whoever is first, whoever is greater, whoever dies. */
import { activeDownMs, skewMs } from "../../vrrp/timing.ts";
import { assert, assertEquals, assertLess } from "../assert.ts";
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { Lateness } from "./lateness.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type Heard, pause, type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "keepalived", "tcpdump", "tshark", "pgrep"];
/** After the skew the one who takes over has so long, and after a silent death so long; this much earlier it may be. */
const [RESIGNED_MS, DIED_MS, EARLY_MS] = [300, 500, 100];
/** Of a timer's lateness: to send an advert a busy process waits for its turn that often. */
const TURNS = 5;

const MULTICAST: readonly Router[] = [
  { id: 51, version: 3, intervalMs: 1000, addresses: ["10.77.0.51/24"] },
  {
    ...{ id: 52, version: 3, intervalMs: 100, addresses: ["10.77.0.52/24", "192.0.2.52/32"] },
    unadvertised: ["10.77.0.152/24", "fd77::152/64"],
  },
  { id: 53, version: 2, intervalMs: 1000, addresses: ["10.77.0.53/24"] },
  { id: 54, version: 2, intervalMs: 1000, addresses: ["10.77.0.54/24"], password: "hunter2" },
  { id: 55, version: 3, intervalMs: 100, addresses: ["fe80::5:55/64", "fd77::55/64"] },
];

function unicast(speakers: Speakers, own: string, peer: string): readonly Router[] {
  const four = [speakers.lab.address(own), speakers.lab.address(peer)] as const;
  const six = [speakers.lab.address6(own), speakers.lab.address6(peer)] as const;
  return [
    { id: 71, version: 3, intervalMs: 100, addresses: ["10.77.0.71/24"], unicast: four },
    { id: 72, version: 2, intervalMs: 1000, addresses: ["10.77.0.72/24"], unicast: four },
    { id: 73, version: 3, intervalMs: 100, addresses: ["fe80::5:73/64", "fd77::73/64"], unicast: six },
  ];
}

/**
 * From the last packet of one to the first of the other, about `aroundMs`, by the times that the kernel gave them. It is
 * as long as is expected, and longer by a bound, and by what the machine itself was late at either end.
 */
function assertTook(
  heard: readonly Heard[],
  { id, ours, own, aroundMs, what }: Taking,
  [expectedMs, boundMs]: readonly [number, number],
  lateness: Lateness,
): void {
  const said = heard.filter((packet) => packet.id === id);
  const isFrom = ({ source }: Heard, us: boolean) => own.has(source) === us;
  const next = said.find((packet) => packet.atMs > aroundMs && isFrom(packet, ours));
  assert(next !== undefined, `nobody took over ${id}`);
  const last = said.findLast((packet) => packet.atMs < next.atMs && isFrom(packet, !ours));
  assert(last !== undefined, `nobody had ${id}`);
  const tookMs = next.atMs - last.atMs;
  const [lateLast, lateNext] = [last.atMs, next.atMs].map((at) =>
    TURNS * lateness.worst(at - 1000, at + 100)
  );
  const about = `${what}, ${id}`;
  if (Deno.env.has("TANDEM_LAB_LOG")) {
    console.log(about, Math.round(tookMs - expectedMs), "of", boundMs, "late", lateLast, lateNext);
  }
  assertLess(tookMs, expectedMs + boundMs + lateNext!, about);
  assertLess(expectedMs - EARLY_MS - lateLast!, tookMs, about);
}

/** Who takes what from whom, about when. */
interface Taking {
  readonly id: number;
  readonly ours: boolean;
  readonly own: ReadonlySet<string>;
  readonly aroundMs: number;
  readonly what: string;
}

/** All that a pair goes through; at its end the packets say how long it took. */
async function story(
  speakers: Speakers,
  us: string,
  them: string,
  routers: readonly Router[],
): Promise<void> {
  using lateness = new Lateness();
  const recording = await speakers.record(us);
  const own = new Set<string>();
  const moments: Record<string, number> = {};
  const meet = async (priority: number, state: "active" | "backup") => {
    speakers.write(us, routers, { priority });
    speakers.tandem(us);
    const instances = await speakers.until(
      us,
      (one) => one.state === state && (state === "active" || one.owner !== null),
    );
    for (const { local } of instances) own.add(local!);
  };
  const ours = async () => {
    await speakers.holds(us, routers, true);
    await speakers.holds(them, routers, false);
  };
  const theirs = async () => {
    await speakers.holds(them, routers, true);
    await speakers.holds(us, routers, false);
    // Our last word, after the address is gone, is not to be taken for a next one.
    await pause(200);
  };

  // We are first and greater: it stays a backup.
  await meet(200, "active");
  speakers.keepalived(them, routers, { priority: 100 });
  await pause(1500);
  await ours();
  // We resign, it takes over; we come back and take what is ours.
  moments["we resign"] = Date.now();
  await speakers.end(us, "SIGTERM");
  await theirs();
  await meet(200, "active");
  await ours();
  // We die without a word.
  moments["we die"] = Date.now();
  await speakers.end(us, "SIGKILL");
  await theirs();
  // It is first and greater: we stay a backup, until it resigns.
  await meet(50, "backup");
  moments["they resign"] = Date.now();
  await speakers.end(them, "SIGTERM");
  await ours();
  // It comes back and takes what is its own, until it dies without a word.
  speakers.keepalived(them, routers, { priority: 100 });
  await theirs();
  moments["they die"] = Date.now();
  await speakers.end(them, "SIGKILL");
  await speakers.holds(us, routers, true);

  const heard = await recording.read();
  assertEquals(heard.filter(({ source, good, ttl }) => own.has(source) && (!good || ttl !== 255)), []);
  for (const { id, version, intervalMs } of routers) {
    assert(heard.some((packet) => packet.id === id && own.has(packet.source) && packet.version === version));
    const cases: [string, boolean, number, number][] = [
      ["we resign", false, skewMs(version, 100, intervalMs), RESIGNED_MS],
      ["we die", false, activeDownMs(version, 100, intervalMs), DIED_MS],
      ["they resign", true, skewMs(version, 50, intervalMs), RESIGNED_MS],
      ["they die", true, activeDownMs(version, 50, intervalMs), DIED_MS],
    ];
    for (const [what, ours, expectedMs, boundMs] of cases) {
      const taking = { id, ours, own, aroundMs: moments[what]!, what: `${us}: ${what}` };
      assertTook(heard, taking, [expectedMs, boundMs], lateness);
    }
  }
}

labTest(
  "VRRP with keepalived: version 2 and 3, IPv4 and IPv6, multicast and unicast, whoever goes and comes",
  NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "ka1", "lb2", "ka2");
    await Promise.all([
      story(speakers, "lb1", "ka1", MULTICAST),
      story(speakers, "lb2", "ka2", unicast(speakers, "lb2", "ka2")),
    ]);
  },
);

labTest(
  "VRRP with FRR and its virtual MAC: version 2 and 3, IPv4 and IPv6, whoever goes and comes",
  [...NEEDS, "vrrpd"],
  async () => {
    await using speakers = await Speakers.start("lb1", "frr1");
    const routers: readonly Router[] = [
      { id: 61, version: 3, intervalMs: 1000, addresses: ["10.77.0.61/24"] },
      { id: 62, version: 3, intervalMs: 100, addresses: ["10.77.0.62/24"] },
      { id: 63, version: 2, intervalMs: 1000, addresses: ["10.77.0.63/24"] },
      { id: 64, version: 3, intervalMs: 100, addresses: ["fe80::5:64/64", "fd77::64/64"] },
    ];
    using lateness = new Lateness();
    const recording = await speakers.record("lb1");
    const own = new Set<string>();
    const meet = async (priority: number, state: "active" | "backup") => {
      speakers.write("lb1", routers, { priority });
      speakers.tandem("lb1");
      const fits = (one: InstanceStatus) => one.state === state && one.owner !== null;
      for (const { local } of await speakers.until("lb1", fits)) own.add(local!);
    };
    /** vrrpd keeps its interfaces up while it is the master. */
    const theirs = async (wanted: boolean) => {
      const state = wanted ? " UP " : " DOWN ";
      const links = async () => (await speakers.lab.ip("frr1", "-br", "link")).match(/^vrrp.*$/gm) ?? [];
      while (!(await links()).every((link) => link.includes(state))) await pause(50);
      await speakers.holds("lb1", routers, !wanted);
      await pause(200);
    };
    await speakers.frr("frr1", routers, { priority: 100 });
    await theirs(true);
    await meet(200, "active");
    await theirs(false);
    const resignedAt = Date.now();
    await speakers.end("lb1", "SIGTERM");
    await theirs(true);
    await meet(200, "active");
    await theirs(false);
    const diedAt = Date.now();
    await speakers.end("lb1", "SIGKILL");
    await theirs(true);
    await meet(50, "backup");
    await speakers.end("frr1 vrrpd", "SIGKILL");
    await speakers.until("lb1", ({ state }) => state === "active");
    const heard = await recording.read();
    assertEquals(heard.filter(({ source, good, ttl }) => own.has(source) && (!good || ttl !== 255)), []);
    for (const { id, version, intervalMs } of routers) {
      const [skew, down] = [skewMs(version, 100, intervalMs), activeDownMs(version, 100, intervalMs)];
      const taking = { id, ours: false, own };
      const resigned = { ...taking, aroundMs: resignedAt, what: "resigned" };
      assertTook(heard, resigned, [skew, RESIGNED_MS], lateness);
      assertTook(heard, { ...taking, aroundMs: diedAt, what: "died" }, [down, DIED_MS], lateness);
    }
  },
);

labTest(
  "VRRP with keepalived: equal priorities go by the greater address, and nopreempt holds on both sides",
  NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "ka1");
    const routers = [MULTICAST[1]!, { ...MULTICAST[0]!, intervalMs: 200 }];
    const own = async () => {
      await speakers.holds("lb1", routers, true);
      await speakers.holds("ka1", routers, false);
    };
    const theirs = async () => {
      await speakers.holds("ka1", routers, true);
      await speakers.holds("lb1", routers, false);
    };
    speakers.write("lb1", routers, { priority: 100 });
    speakers.tandem("lb1");
    await speakers.until("lb1", ({ state }) => state === "active");
    speakers.keepalived("ka1", routers, { priority: 100 });
    await pause(2000);
    await own();
    // Each for itself, and together again: 10.77.0.12 is greater than 10.77.0.11.
    await speakers.lab.part("ka1", true);
    await speakers.holds("ka1", routers, true);
    await speakers.lab.part("ka1", false);
    await theirs();
    // Greater now, and does not want to disturb.
    speakers.write("lb1", routers, { priority: 200, preempt: false });
    await speakers.reload("lb1");
    const waiting = await speakers.until("lb1", ({ waiting }) => waiting !== null);
    assertEquals(waiting.map(({ state }) => state), ["backup", "backup"]);
    await pause(1000);
    await theirs();
    await speakers.end("ka1", "SIGTERM");
    await own();
    speakers.keepalived("ka1", routers, { priority: 250, preempt: false });
    await pause(2000);
    await own();
  },
);

labTest(
  "VRRP with keepalived: another interval is refused in version 2 and taken over in version 3",
  NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "ka1", "lb2", "ka2");
    const [three, two] = [MULTICAST[0]!, MULTICAST[2]!];
    speakers.keepalived("ka1", [two], { priority: 200, intervalMs: 2000 });
    speakers.keepalived("ka2", [three], { priority: 200, intervalMs: 1000 });
    speakers.write("lb1", [two], { priority: 100 });
    speakers.write("lb2", [three], { priority: 100, intervalMs: 100 });
    speakers.tandem("lb1");
    await speakers.holds("ka2", [three], true);
    speakers.tandem("lb2");
    await speakers.until(
      "lb1",
      ({ state, adverts }) => state === "active" && (adverts.dropped["interval"] ?? 0) > 0,
    );
    await speakers.until("lb2", ({ owner }) => owner === speakers.lab.address("ka2"));
    // By its own interval it would have taken over five times.
    await pause(2000);
    const [adopting] = await speakers.instances("lb2");
    assertEquals([adopting!.state, adopting!.owner], ["backup", speakers.lab.address("ka2")]);
  },
);

labTest(
  "VRRP between two Tandems with keys: they report to each other beside it, and hand over",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2");
    const router = [MULTICAST[1]!];
    const keys = 'keys: [{ id: 1, secret: "a secret of the lab" }]';
    // One after the other and both well, so that nothing moves for another reason.
    for (const [node, priority] of [["lb1", 200], ["lb2", 100]] as const) {
      speakers.write(node, router, { priority }, keys);
      speakers.tandem(node);
      await speakers.until(node, ({ state, health }) => state !== "initialize" && health === 100);
      if (node === "lb1") await speakers.until(node, ({ state }) => state === "active");
    }
    await speakers.until("lb2", ({ state, peers }) => state === "backup" && peers[0]?.state === "active");
    await speakers.until("lb1", ({ peers }) => peers[0]?.state === "backup" && peers[0].health === 100);
    const socket = `${speakers.directory}/lb1.sock`;
    assertEquals(await askAdmin(socket, "/api/instances/r52/move", 5000, "POST"), {
      done: true,
      warnings: [],
    });
    await speakers.holds("lb2", router, true);
    await speakers.holds("lb1", router, false);
    const [moved] = await speakers.instances("lb2");
    assert(moved!.why.includes("gave the address up"), moved!.why);
    await pause(1000);
    assertEquals((await speakers.instances("lb2"))[0]!.state, "active");
  },
);

labTest(
  "VRRP to other peers by a reload: a node hears them by a socket that is there already",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2");
    const [by, to] = ["lb1", "lb2"].map((node) => speakers.lab.address(node)) as [string, string];
    const other: Router = { id: 71, version: 3, intervalMs: 100, addresses: ["10.77.0.71/24"] };
    const write = (node: string, priority: number, all: boolean) => {
      const unicast = node === "lb1" ? [by, to] as const : [to, by] as const;
      const moving = { ...MULTICAST[1]!, ...all ? { unicast } : {} };
      speakers.write(node, [{ ...other, unicast }, moving], { priority });
    };
    for (const [node, priority] of [["lb1", 200], ["lb2", 100]] as const) {
      write(node, priority, false);
      speakers.tandem(node);
      await speakers.until(node, ({ state }) => state === (node === "lb1" ? "active" : "backup"));
    }
    await speakers.until("lb2", ({ owner }) => owner === by);
    for (const all of [true, false]) {
      write("lb1", 200, all);
      write("lb2", 100, all);
      await Promise.all([speakers.reload("lb1"), speakers.reload("lb2")]);
      const before = await speakers.instances("lb2");
      const heard = ({ name, state, local, adverts }: InstanceStatus) =>
        state === "backup" && local === to &&
        adverts.received > before.find((one) => one.name === name)!.adverts.received + 10;
      await speakers.until("lb2", heard);
    }
  },
);

labTest(
  "VRRP on an interface that comes later, goes and comes back: a fault while it is not there",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2");
    const { lab } = speakers;
    const router = [MULTICAST[1]!];
    speakers.write("lb2", router, { priority: 200 });
    speakers.tandem("lb2");
    await speakers.until("lb2", ({ state }) => state === "active");
    await lab.ip("lb1", "link", "set", "eth0", "name", "away");
    speakers.write("lb1", router, { priority: 100 });
    speakers.tandem("lb1");
    for (let round = 0; round < 2; round++) {
      const [missing] = await speakers.until("lb1", ({ state }) => state === "fault");
      assert(/no interface eth0|no link/.test(missing!.why), missing!.why);
      await lab.ip("lb1", "link", "set", "away", "name", "eth0");
      await speakers.until("lb1", ({ state, owner }) => state === "backup" && owner === lab.address("lb2"));
      await lab.ip("lb1", "link", "set", "eth0", "name", "away");
    }
  },
);

labTest(
  "VRRP without CAP_NET_RAW: the instance is in fault, and names what is missing",
  [...LAB_NEEDS, "setpriv"],
  async () => {
    await using speakers = await Speakers.start("lb1");
    speakers.write("lb1", [MULTICAST[0]!, MULTICAST[4]!], { priority: 100 });
    speakers.tandem("lb1", "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw");
    const instances = await speakers.until("lb1", ({ state }) => state === "fault");
    for (const { why } of instances) assert(/IP protocol 112.*needs CAP_NET_RAW/.test(why), why);
  },
);
