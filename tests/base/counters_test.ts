import { assertEquals } from "../assert.ts";
import {
  bucketOf,
  Counters,
  LATENCY_BUCKETS_MS,
  LISTENER_COLUMN,
  LISTENER_COUNTERS,
  SERVER_COLUMN,
  SERVER_COUNTERS,
  TRAFFIC_COLUMN,
} from "../../mod/base/counters.ts";
import { ERROR_CODES } from "../../mod/base/errors.ts";

const SIZE = { servers: 3, listeners: 2, traffic: 2, workers: 2 };

function threads(): [Counters, Counters] {
  const memory = new SharedArrayBuffer(Counters.byteLength(SIZE));
  return [new Counters(memory, SIZE, 0), new Counters(memory, SIZE, 1)];
}

Deno.test("Counters every counter of every row is a number of its own, summed over threads", () => {
  const [a, b] = threads();
  let n = 0;
  const each = (visit: (kind: "server" | "listener", row: number, column: number, n: number) => void) => {
    n = 0;
    for (let row = 0; row < 3; row++) {
      SERVER_COUNTERS.forEach((_, column) => visit("server", row, column, ++n));
    }
    for (let row = 0; row < 2; row++) {
      LISTENER_COUNTERS.forEach((_, column) => visit("listener", row, column, ++n));
    }
  };
  for (const counters of [a, b]) {
    each((kind, row, column, value) =>
      kind === "server" ? counters.addServer(row, column, value) : counters.addListener(row, column, value)
    );
    counters.observeListener(0, 3);
    counters.observeListener(1, 3);
  }
  each((kind, row, column, value) => {
    assertEquals(kind === "server" ? a.server(row, column) : a.listener(row, column), 2 * value);
  });
  for (const row of [0, 1]) assertEquals(b.histogram(row).count, 2);
});

Deno.test("observeServer() and observeTraffic() keep each histogram of each row by itself, and their sums in columns", () => {
  const [a, b] = threads();
  const names = ["firstByteMs", "totalMs"] as const;
  for (const counters of [a, b]) {
    for (const row of [0, 1]) {
      names.forEach((name, at) => {
        const server = 10 ** (row * 2 + at);
        counters.observeServer(row, name, server);
        counters.observeTraffic(row, name, 2 * server, bucketOf(2 * server));
        counters.addTraffic(row, TRAFFIC_COLUMN.errors, row + 1);
      });
    }
  }
  const filled = (buckets: readonly number[]) => buckets.flatMap((n, at) => n === 0 ? [] : [[at, n]]);
  for (const row of [0, 1]) {
    names.forEach((name, at) => {
      const ms = 10 ** (row * 2 + at);
      const ofServer = a.serverTimes(row, name), ofTraffic = b.trafficTimes(row, name);
      assertEquals([ofServer.count, ofServer.sumMs, filled(ofServer.buckets)], [2, 2 * ms, [[
        bucketOf(ms),
        2,
      ]]]);
      assertEquals(a.server(row, SERVER_COLUMN[name]), 2 * ms);
      assertEquals([ofTraffic.count, ofTraffic.sumMs, filled(ofTraffic.buckets)], [2, 4 * ms, [[
        bucketOf(2 * ms),
        2,
      ]]]);
      assertEquals(b.traffic(row, TRAFFIC_COLUMN[name]), 4 * ms);
    });
    assertEquals(a.traffic(row, TRAFFIC_COLUMN.errors), 4 * (row + 1));
  }
  a.clearTraffic(0);
  assertEquals([0, 1].map((row) => b.trafficTimes(row, "totalMs").count), [0, 2]);
  b.reclaim(1);
  assertEquals(a.trafficTimes(1, "totalMs").count, 2);
});

Deno.test("LISTENER_COLUMN has a column for every error code", () => {
  for (const code of ERROR_CODES) assertEquals(LISTENER_COUNTERS[LISTENER_COLUMN[code]], code);
});

Deno.test("observeListener() puts a time into the first bucket whose bound is not below it", () => {
  const [counters] = threads();
  const times = [0, 1, 1.001, 2.5, 30_000, 30_001, 1e9];
  for (const time of times) counters.observeListener(1, time);
  const { buckets, count, sumMs } = counters.histogram(1);
  const expected = new Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);
  expected[0] = 2;
  expected[1] = 2;
  expected[LATENCY_BUCKETS_MS.length - 1] = 1;
  expected[LATENCY_BUCKETS_MS.length] = 2;
  assertEquals(buckets, expected);
  assertEquals([count, sumMs], [times.length, times.reduce((sum, time) => sum + time, 0)]);
  assertEquals(counters.histogram(0).count, 0);
});

Deno.test("reclaim() keeps a dead worker's totals and ends its gauges", () => {
  const [a, b] = threads();
  b.addListener(1, LISTENER_COLUMN.active, 5);
  a.addListener(1, LISTENER_COLUMN.active, 2);
  b.addListener(1, LISTENER_COLUMN.accepted, 7);
  b.observeListener(1, 10);
  a.reclaim(1);
  assertEquals(a.listener(1, LISTENER_COLUMN.active), 2);
  assertEquals(a.listener(1, LISTENER_COLUMN.accepted), 7);
  assertEquals(a.histogram(1).count, 1);
});

Deno.test("clearServer() and clearListener() start a row over in all threads and leave its neighbours", () => {
  const [a, b] = threads();
  for (const counters of [a, b]) {
    for (let row = 0; row < 3; row++) {
      for (const column of [0, SERVER_COUNTERS.length - 1]) counters.addServer(row, column, 1);
    }
    for (let row = 0; row < 2; row++) {
      for (const column of [0, LISTENER_COUNTERS.length - 1]) counters.addListener(row, column, 1);
      counters.observeListener(row, 1e6);
    }
  }
  a.clearServer(1);
  a.clearListener(0);
  assertEquals([0, 1, 2].map((row) => a.server(row, SERVER_COLUMN.requests)), [2, 0, 2]);
  assertEquals([0, 1, 2].map((row) => a.server(row, SERVER_COUNTERS.length - 1)), [2, 0, 2]);
  assertEquals([0, 1].map((row) => a.listener(row, LISTENER_COUNTERS.length - 1)), [0, 2]);
  assertEquals([0, 1].map((row) => [a.histogram(row).count, a.histogram(row).sumMs]), [[0, 0], [2, 2e6]]);
});
