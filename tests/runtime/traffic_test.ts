import { bucketOf, SERVER_COLUMN, TRAFFIC_COLUMN } from "../../mod/base/counters.ts";
import { createSharedMemory, openSharedMemory, POOL_CAPACITY } from "../../mod/base/shared_memory.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import { LABELLED_SERVERS } from "../../mod/observe/traffic.ts";
import { trafficStatus } from "../../mod/runtime/traffic.ts";
import { assertEquals } from "../assert.ts";

const SERVERS = LABELLED_SERVERS + 8;

function world(slots: readonly number[], poolRow = 0) {
  const memory = openSharedMemory(
    createSharedMemory({ workers: 1, servers: SERVERS, listeners: 1, pools: POOL_CAPACITY, routes: 2 }),
    0,
  );
  const snapshot = {
    listeners: [{
      name: "web",
      routes: [
        { action: {} },
        { label: "/a", row: POOL_CAPACITY },
        { label: "/b", row: POOL_CAPACITY + 2 },
        { label: "/c", row: POOL_CAPACITY + 2 },
      ],
    }],
    pools: [{ name: "app", row: poolRow, servers: slots.map((slot) => ({ slot })) }],
  } as unknown as Snapshot;
  return { memory, look: () => trafficStatus(snapshot, memory, null) };
}

Deno.test("trafficStatus() has routes by what they are called, one for all that share a row, and pools", () => {
  const { memory: { counters }, look } = world([0]);
  for (const [row, ms] of [[0, 5], [POOL_CAPACITY, 7], [POOL_CAPACITY + 2, 9]] as const) {
    counters.observeTraffic(row, "totalMs", ms, bucketOf(ms));
    counters.addTraffic(row, TRAFFIC_COLUMN.errors, ms);
  }
  const { routes, pools, otherServers } = look();
  assertEquals(
    routes.map(({ listener, route, total, counters: { errors } }) => [listener, route, total.sumMs, errors]),
    [
      ["web", "/a", 7, 7],
      ["other", "other", 9, 9],
    ],
  );
  assertEquals(pools.map(({ pool, total }) => [pool, total.count, total.sumMs]), [["app", 1, 5]]);
  assertEquals(otherServers, null);
});

Deno.test("trafficStatus() sums what is beyond the labels, also of servers and pools that are gone", () => {
  const { memory: { counters }, look } = world([0, LABELLED_SERVERS], 300);
  for (const slot of [0, LABELLED_SERVERS, LABELLED_SERVERS + 1]) {
    counters.observeServer(slot, "firstByteMs", 4);
    counters.addServer(slot, SERVER_COLUMN.requests, 1);
  }
  for (const row of [299, 300]) counters.observeTraffic(row, "totalMs", 3, bucketOf(3));
  const { servers, otherServers, pools } = look();
  assertEquals([...servers].map(([slot, { firstByte }]) => [slot, firstByte.count]), [[0, 1]]);
  assertEquals([otherServers?.firstByte.count, otherServers?.counters.requests], [2, 2]);
  assertEquals(pools.map(({ pool, total }) => [pool, total.count]), [["other", 2]]);
});
