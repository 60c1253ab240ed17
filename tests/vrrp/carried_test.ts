/** What one keeper carries over to the next: a machine goes on, a voice stays the same, also through JSON. */
import { parseIp } from "../../mod/base/address.ts";
import { type CarriedInstance, fromHex, hex } from "../../vrrp/carried.ts";
import { Channel } from "../../vrrp/channel.ts";
import { hmacSha256 } from "../../vrrp/hmac_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { active, advert, Driver, health, INTERVAL_MS, short, started } from "./machine_driver.ts";

/** Another process: it has another clock, and is handed text. */
function goOn(driver: Driver, config = {}): { next: Driver; actions: string[] } {
  const next = new Driver(config);
  next.now = 5;
  const carried = JSON.parse(JSON.stringify(driver.machine.carried(driver.now))) as CarriedInstance;
  return { next, actions: short(next.give({ kind: "resume", carried })) };
}

Deno.test("resume() an Active advertises, keeps its addresses and tells nobody of a change", () => {
  const before = active();
  before.pass(7 * INTERVAL_MS);
  const { reason, since } = before.machine.status(before.now);
  const { next, actions } = goOn(before);
  assertEquals(actions, ["advert 100", "add"]);
  const status = next.machine.status(next.now);
  assertEquals([status.state, status.reason, next.now - status.since], [
    "active",
    reason,
    before.now - since,
  ]);
  // The round that was due is made, as some learn late; and it is as steady as any Active.
  assertEquals(short(next.pass(5 * INTERVAL_MS)), [
    ...Array(4).fill("advert 100"),
    "advert 100",
    "announce 5",
  ]);
});

Deno.test("resume() a Backup follows the Active by its interval, and takes over when it is silent", () => {
  const before = started();
  before.hear(advert(200, { intervalMs: 3 * INTERVAL_MS }), 2 * INTERVAL_MS);
  const { next, actions } = goOn(before);
  assertEquals(actions, ["remove"]);
  assertEquals([next.machine.state, next.machine.status(next.now).reason], ["backup", "started"]);
  assertEquals(short(next.pass(9 * INTERVAL_MS)), []);
  assertEquals(short(next.pass(3 * INTERVAL_MS)).slice(0, 2), ["advert 100", "add"]);
});

Deno.test("resume() what changes with the new keeper is told as a change", () => {
  const next = new Driver();
  next.give({ kind: "hardFault", what: "interface eth1", reason: "is down" });
  const carried = active().machine.carried(1_000_000)!;
  assertEquals(short(next.give({ kind: "resume", carried })), ["advert 0", "remove", "active->fault"]);
});

Deno.test("resume() the operator's move and the hold-down outlast the upgrade", () => {
  const before = active();
  before.give({ kind: "handOver", reason: "moved by the operator" }, advert(100));
  before.pass(INTERVAL_MS);
  assertEquals(before.machine.state, "backup");
  const { next } = goOn(before);
  next.give(health(100), advert(50));
  assert(next.machine.status(next.now).waiting?.includes("moved away"), "it does not preempt");
});

Deno.test("carried() an address on its way to another node cannot be carried", () => {
  const before = active();
  before.give({ kind: "handOver", reason: "moved" });
  assertEquals(before.machine.carried(before.now), null);
});

Deno.test("carried() a voice goes on, so that peers take it for the same, and it knows its peers", () => {
  let drawn = 0xffff_ffff_ffff_0000n;
  const random64 = () => ++drawn;
  const [A, B] = [parseIp("10.0.0.1")!, parseIp("10.0.0.2")!];
  const keys = [{ id: 1, secret: new TextEncoder().encode("0123456789abcdef") }];
  const common = { keys, hmac: hmacSha256, random64 };
  const moment = { nowMs: 1000, clockMs: 1_700_000_000_000 };
  const standing = { health: 100, configHash: 1n };
  const report = { version: "1", uptimeMs: 5, maintenance: false, instances: [], pools: [], admin: [] };
  const a = new Channel({ node: "a", local: A, ...common }, 0);
  const b = new Channel({ node: "b", local: B, ...common }, 0);
  const recorded = b.report(report, standing, moment);
  assert(a.hear(recorded, B, moment).ok && b.hear(a.report(report, standing, moment), A, moment).ok);
  const carried = JSON.parse(JSON.stringify(a.carried()));
  // Another clock, and one of the wall that is far off: neither matters.
  const later = { nowMs: 3, clockMs: 0 };
  const next = new Channel({ node: "a", local: A, ...common, carried }, 0);
  const heard = b.hear(next.report(report, standing, later), A, moment);
  assertEquals(heard.ok && heard.sender.proof, "known");
  const again = next.hear(b.report(report, standing, moment), B, later);
  assertEquals(again.ok && again.sender.proof, "known");
  const replayed = next.hear(recorded, B, later);
  assertEquals(replayed.ok ? "ok" : replayed.reason, "stale");
  // One that takes back what it has let go is later than the one that had it meanwhile.
  const back = new Channel({ node: "a", local: A, ...common, carried: a.carried() }, 0);
  const taken = b.hear(back.report(report, standing, later), A, moment);
  assertEquals(taken.ok && taken.sender.proof, "known");
});

Deno.test("hex() keeps all 64 bits", () => {
  for (const value of [0n, 1n, 0xffff_ffff_ffff_ffffn]) assertEquals(fromHex(hex(value)), value);
});
