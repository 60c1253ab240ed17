/** A sync group on two LANs, between Tandem and keepalived: whoever has one address has the other too. */
import { assert, assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type Router, Speakers } from "./speakers.ts";
import { labTest } from "./tools.ts";

const ROUTERS: readonly Router[] = [
  { id: 81, version: 3, intervalMs: 100, addresses: ["10.77.0.181/24"] },
  { id: 82, version: 3, intervalMs: 100, addresses: ["10.78.0.182/24"], device: "eth1" },
];

labTest(
  "VRRP sync groups with keepalived: a cable that is pulled on one LAN moves both addresses, there and back",
  [...LAB_NEEDS, "keepalived", "pgrep", "nft"],
  async () => {
    await using speakers = await Speakers.start("lb1", "ka1");
    const { lab } = speakers;
    await lab.second("lb1", "ka1");
    const held = async (by: string, other: string) => {
      await speakers.holds(by, ROUTERS, true);
      await speakers.holds(other, ROUTERS, false);
    };
    speakers.write("lb1", ROUTERS, { priority: 200, synced: true });
    speakers.tandem("lb1");
    await held("lb1", "ka1");
    speakers.keepalived("ka1", ROUTERS, { priority: 100, synced: true });

    await lab.cut("lb1", "eth1");
    await held("ka1", "lb1");
    const [faulty] = await speakers.until("lb1", ({ state }) => state === "fault");
    assertEquals(faulty!.why, "sync group: r82: link: the interface has no link");
    await lab.heal("lb1", "eth1");
    await held("lb1", "ka1");

    await speakers.end("lb1", "SIGTERM");
    await held("ka1", "lb1");
    speakers.write("lb1", ROUTERS, { priority: 50, synced: true });
    speakers.tandem("lb1");
    await speakers.until("lb1", ({ state, owner }) => state === "backup" && owner !== null);
    // Of one of the two it hears nothing, and leaves both where they are.
    await lab.must(
      "lb1",
      "nft",
      "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }",
    );
    await lab.must("lb1", "nft", "add rule inet deaf in iifname eth1 ip protocol 112 drop");
    const [, deaf] = await speakers.until("lb1", ({ name, waiting }) => name === "r81" || waiting !== null);
    assert(deaf!.waiting!.includes("waits for the others of its sync group"), deaf!.waiting!);
    await held("ka1", "lb1");
    await lab.must("lb1", "nft", "delete table inet deaf");
    await lab.cut("ka1", "eth1");
    await held("lb1", "ka1");
    await lab.heal("ka1", "eth1");
    await held("ka1", "lb1");
  },
);

labTest(
  "VRRP sync groups between Tandems: a move of one address moves both",
  LAB_NEEDS,
  async () => {
    await using speakers = await Speakers.start("lb1", "lb2");
    await speakers.lab.second("lb1", "lb2");
    const keys = 'keys: [{ id: 1, secret: "a secret of the lab" }]';
    for (const [node, priority] of [["lb1", 200], ["lb2", 100]] as const) {
      speakers.write(node, ROUTERS, { priority, synced: true }, keys);
      speakers.tandem(node);
      await speakers.until(node, ({ state, health }) => state !== "initialize" && health === 100);
      if (node === "lb1") await speakers.until(node, ({ state }) => state === "active");
    }
    await speakers.until("lb1", ({ peers }) => peers[0]?.state === "backup" && peers[0].health === 100);
    await speakers.ask("lb1", "/api/instances/r81/move");
    await speakers.holds("lb2", ROUTERS, true);
    await speakers.holds("lb1", ROUTERS, false);
  },
);
