/**
 * `forward: dsr` under strikes at the node that has the address, with 200 open connections that are asked all the time.
 * One strike; `TANDEM_STRIKES=60` is the long form, of some minutes, in which nodes are cut off, killed and frozen.
 */
import { Pair } from "../../bench/l4_failover_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { LAB_NEEDS } from "./netns.ts";
import { labTest } from "./tools.ts";

const CONNECTIONS = 200;

labTest(
  "dsr: 200 open connections with traffic survive what strikes the active node, and its return",
  [...LAB_NEEDS, "curl", "nft", "nginx"],
  async () => {
    const strikes = Number(Deno.env.get("TANDEM_STRIKES") ?? 1);
    await using pair = await Pair.open();
    const toll = await pair.endure(CONNECTIONS, strikes);
    assertEquals([toll.broken, toll.moves], [0, 2 * strikes]);
    assert(toll.requests > CONNECTIONS * strikes);
  },
);
