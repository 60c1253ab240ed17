/** The live configuration of a worker, and what of it survives a reload. */
import { CONTROL_THREAD, createSharedMemory, openSharedMemory } from "../../mod/base/shared_memory.ts";
import type { PoolSnapshot, Snapshot } from "../../mod/config/snapshot.ts";
import { buildLive, type Live } from "../../mod/proxy/live.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "../assert.ts";
import { World } from "../sim/world.ts";

/** A snapshot as the simulator has it, with something changed. */
const makeTls = () => {
  throw new Error("Cannot terminate TLS here");
};

function snapshot(change: (snapshot: Snapshot) => Snapshot = (each) => each): Snapshot {
  let result: Snapshot | undefined;
  new World().reload((each) => result = change(each));
  return result!;
}

const shared = createSharedMemory({ workers: 1, servers: 8, listeners: 1, pools: 1 });
const control = openSharedMemory(shared, CONTROL_THREAD);
for (const slot of [0, 1]) control.slots.assign(slot, 256, true);
const memory = openSharedMemory(shared, 0);

function build(what: Snapshot, before: Live | null = null): Live {
  return buildLive(what, before, {
    memory,
    worker: 0,
    random: () => 0.5,
    writeHex: () => {
      throw new Error("Nothing is traced here");
    },
    buildTable: buildRouteTable,
    http2Dialer: () => {
      throw new Error("No pool speaks HTTP/2 here");
    },
    makeTls,
  });
}

const pools = (change: (pool: PoolSnapshot) => PoolSnapshot) => (each: Snapshot) => ({
  ...each,
  pools: each.pools.map(change),
});

Deno.test("buildLive() keeps a pool's retry budget across reloads, unless its share has changed", () => {
  const first = build(snapshot());
  const same = build(
    snapshot(pools((pool) => ({ ...pool, timeouts: { ...pool.timeouts, connectMs: 1 } }))),
    first,
  );
  assertStrictEquals(same.pools.get("app")!.budget, first.pools.get("app")!.budget);
  const other = build(snapshot(pools((pool) => ({ ...pool, retry: { ...pool.retry, budget: 0.5 } }))), first);
  assertNotEquals(other.pools.get("app")!.budget, first.pools.get("app")!.budget);
});

Deno.test("buildLive() goes on with the balancer's state", () => {
  const pick = (live: Live) => live.pools.get("app")!.balancer.acquire(0, [], 0, null);
  const first = build(snapshot());
  const picked = pick(first);
  assertEquals(pick(build(snapshot())), picked, "anew, it begins with the same server");
  assertEquals(pick(build(snapshot(), first)), 1 - picked);
});

Deno.test("buildLive() trusts whom the configuration names", () => {
  const live = build(snapshot((each) => ({
    ...each,
    listeners: each.listeners.map((one) => ({ ...one, trustedProxies: ["10.0.0.0/8", "2001:db8::/32"] })),
  })));
  const { trusts, logged } = live.listeners.get("web")!;
  assertEquals(
    ["10.1.2.3", "2001:db8::1", "192.0.2.1", "2001:db9::1", "nonsense"].map(trusts),
    [true, true, false, false, false],
  );
  assert(logged);
  const plain = build(snapshot((each) => ({ ...each, log: { ...each.log, access: "off" } })));
  assertEquals([plain.listeners.get("web")!.trusts("10.1.2.3"), plain.listeners.get("web")!.logged], [
    false,
    false,
  ]);
});

Deno.test("buildLive() throws for a route table that cannot be built", () => {
  const broken = snapshot();
  const routes = [{
    match: { hosts: [], methods: [], headers: [], query: [], path: "no slash" },
    action: broken.listeners[0]!.routes[0]!.action,
  }];
  assertThrows(
    () => build({ ...broken, listeners: broken.listeners.map((each) => ({ ...each, routes })) }),
    Error,
  );
});
