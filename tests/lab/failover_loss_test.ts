/** The network loses what the nodes say to each other, and not what clients say: who has the address, and who knows. */
import { assert, assertEquals, assertLess } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { type NodeName, Pair, pause } from "./pair.ts";
import { labTest } from "./tools.ts";

const NEEDS = [...LAB_NEEDS, "curl", "nft"];
const NODES: readonly NodeName[] = ["lb1", "lb2"];
/** A client that nobody tells asks again after five seconds at the earliest; being told takes a tenth of one. */
const TOLD_BOUND_MS = 4000;

/** Loses `percent` of what reaches the nodes of the election's packets. */
async function loss(pair: Pair, percent: number, nodes = NODES): Promise<void> {
  for (const node of nodes) await pair.lab.loss(node, percent);
}

/** From now on the client asks nobody for an address: it knows what it is told. */
async function dumb(pair: Pair): Promise<void> {
  const chain = "{ type filter hook output priority 0; arp operation request drop; }";
  await pair.lab.must("client", "nft", `table arp lab { chain out ${chain}; }`);
}

labTest(
  "failover() two owners meet: the loser has a last word, and the winner tells clients anew",
  NEEDS,
  async () => {
    await using pair = await Pair.start();
    const { since } = await pair.instance("lb1");
    // So rarely that lb2 hears of lb1 before it says anything: only its last word can tell lb1 that there were two.
    const file = `${pair.directory}/tandem.yaml`;
    const rare = "vrrp: { instances: { edge: { advertInterval: 20s } } }, pools: { app: {";
    Deno.writeTextFileSync(
      file,
      Deno.readTextFileSync(file).replace("lb2: { pools: { app: {", `lb2: { ${rare}`),
    );
    await pair.reload("lb2");
    await loss(pair, 100);
    await pair.answers("lb2");
    assertEquals((await pair.instance("lb1")).state, "active");
    await dumb(pair);
    await loss(pair, 0);
    await pair.until("lb2", ({ state }) => state === "backup");
    const partedAt = performance.now();
    await pair.answers("lb1");
    assertLess(performance.now() - partedAt, TOLD_BOUND_MS);
    await pair.settled("lb1");
    // Otherwise the clients were told by a takeover. A wall clock's time is known only so well.
    const later = (await pair.instance("lb1")).since - since;
    assertLess(Math.abs(later), 100);
  },
);

labTest(
  "failover() a backup that hears nothing takes over, and the owner that is not heard leaves",
  NEEDS,
  async () => {
    await using pair = await Pair.start();
    await loss(pair, 100, ["lb2"]);
    await pair.until("lb2", ({ state }) => state === "active");
    const { why } = await pair.until("lb1", ({ state }) => state === "backup");
    assert(why.includes("does not hear us"), why);
    await pair.holds("lb1", false);
    await pair.answers("lb2");
    await loss(pair, 0, ["lb2"]);
    await pair.until("lb2", ({ peers }) => peers.some(({ health }) => health === 100));
  },
);

labTest(
  "failover() three packets in ten are lost for a while: one owner afterwards, the greater one",
  NEEDS,
  async () => {
    await using pair = await Pair.start();
    await loss(pair, 30);
    await pause(3000);
    await loss(pair, 0);
    await pair.settled("lb1");
  },
);
