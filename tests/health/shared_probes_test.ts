/** Probes that several servers share, in simulated time. */
import { assertEquals } from "../assert.ts";
import type { PoolSnapshot, ServerSnapshot } from "../../mod/config/snapshot.ts";
import { checkOf } from "./check_of.ts";
import { pool, server, World } from "./world.ts";

Deno.test("update() servers of one address that are asked the same share their probes, in all pools", async () => {
  const world = new World();
  const at = (slot: number, some: Partial<ServerSnapshot> = {}) =>
    server(slot, { host: "10.0.0.9", ...some });
  const strict = checkOf({ fastInterval: "500ms", fall: 1 });
  world.monitor.update([
    pool([at(1)]),
    pool([at(2)], { name: "strict", check: strict }),
    pool([at(3)], { name: "path", check: checkOf({ fastInterval: "500ms", path: "/other" }) }),
    pool([at(4, { port: 81 })], { name: "port" }),
    pool([at(5)], { name: "exec", check: checkOf({ type: "exec", command: "/x" }) }),
    pool([at(6)], { name: "exec too", check: checkOf({ type: "exec", command: "/x" }) }),
    pool([at(7, { state: "maint" })], { name: "maint" }),
  ]);
  await world.pass(999);
  const names = () => world.probed.map((one) => one.server).sort();
  assertEquals(names(), ["s1", "s3", "s4", "s5", "s6"]);
  assertEquals(["s1", "s2", "s7"].map((name) => world.state(name)), ["up", "up", "unchecked"]);
  world.dead.add("s1").add("s2");
  world.probed = [];
  await world.pass(2100);
  assertEquals(names().filter((name) => name === "s1" || name === "s2").length <= 2, true);
  assertEquals(
    ["s1", "s2"].map((name) => world.state(name)),
    ["up", "down"],
    "each counts by its own rise and fall",
  );
  await world.monitor.close();
});

Deno.test("update() a shared probe goes on while one of its servers is left, and takes one that comes along", async () => {
  const world = new World();
  world.silent.add("s1");
  const [one, two, three] = [1, 2, 3].map((slot) =>
    pool([server(slot, { host: "10.0.0.9" })], { name: `p${slot}` })
  ) as [PoolSnapshot, PoolSnapshot, PoolSnapshot];
  world.monitor.update([one, two]);
  await world.pass(1000);
  assertEquals(world.probed.map(({ server }) => server), ["s1"]);
  world.monitor.update([two, three]);
  await world.pass(1000);
  assertEquals([world.probed.length, world.aborted], [1, []], "s3 waits for what is under way");
  world.monitor.update([three]);
  await world.pass(0);
  assertEquals(world.aborted, []);
  world.monitor.update([]);
  await world.pass(0);
  assertEquals(world.aborted, ["s1"]);
  await world.monitor.close();
});
