/** Discovery in simulated time: lookups are answered from a table, timers by a clock that jumps. */
import { assert, assertEquals } from "../assert.ts";
import type { Lookup, Name } from "../../mod/discovery/answer.ts";
import { Discovery, GATHER_MS } from "../../mod/discovery/discovery_io.ts";

const APP: Name = { dns: "app.test", type: "host" };
const DB: Name = { dns: "db.test", type: "A" };

class World {
  now = 0;
  /** Addresses by name; a missing name fails. */
  zone = new Map<string, string[]>();
  /** Names whose lookup ends only when it is aborted. */
  silent = new Set<string>();
  /** What a lookup throws; null for none. */
  bug: Error | null = null;
  asked: string[] = [];
  aborted: string[] = [];
  told: { names: string[]; at: number }[] = [];
  troubles: string[] = [];
  timers = new Map<number, { at: number; call: () => void }>();
  #nextTimer = 1;
  readonly discovery = new Discovery({
    lookUp: (name, signal) => this.#lookUp(name, signal),
    onChange: (names) => this.told.push({ names: names.map(({ dns }) => dns), at: this.now }),
    onTrouble: ({ dns }, reason) => this.troubles.push(`${dns}: ${reason}`),
    now: () => this.now,
    after: (ms, call) => {
      const timer = this.#nextTimer++;
      this.timers.set(timer, { at: this.now + ms, call });
      return () => void this.timers.delete(timer);
    },
  });

  async #lookUp({ dns }: Name, signal: AbortSignal): Promise<Lookup> {
    this.asked.push(`${dns} ${this.now}`);
    if (this.bug !== null) throw this.bug;
    if (this.silent.has(dns)) {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      this.aborted.push(dns);
    }
    const records = this.zone.get(dns);
    const part = records === undefined
      ? { kind: "failed", reason: "server failure" } as const
      : { kind: "found", records, ttlS: 5 } as const;
    return { services: null, addresses: new Map([[" A", part]]) };
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (let steps = 0;; steps++) {
      assert(steps < 10_000, "discovery spins");
      await settle();
      const next = [...this.timers].sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined || next[1].at > end) break;
      this.timers.delete(next[0]);
      this.now = next[1].at;
      next[1].call();
    }
    this.now = end;
  }

  hosts(name: Name): string[] {
    return this.discovery.members(name).map(({ host }) => host);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("update() names are looked up at once, and again when their time to live is over", async () => {
  const world = new World();
  world.zone.set("app.test", ["10.0.0.1"]);
  world.discovery.update([APP]);
  await world.pass(4999);
  assertEquals([world.asked, world.hosts(APP)], [["app.test 0"], ["10.0.0.1"]]);
  world.zone.set("app.test", ["10.0.0.2"]);
  await world.pass(100);
  assertEquals([world.asked, world.hosts(APP)], [["app.test 0", "app.test 5000"], ["10.0.0.2"]]);
  await world.discovery.close();
});

Deno.test("onTrouble() says once that a name cannot be looked up, and once that it can again", async () => {
  const world = new World();
  world.zone.set("db.test", ["10.0.0.2"]);
  world.discovery.update([APP, DB]);
  await world.pass(60_000);
  assertEquals(world.troubles, ["app.test: server failure"]);
  world.zone.set("app.test", ["10.0.0.1"]);
  await world.pass(60_000);
  assertEquals(world.troubles, ["app.test: server failure", "app.test: "]);
  await world.discovery.close();
});

Deno.test("onChange() names that change together are told once, and only when their servers changed", async () => {
  const world = new World();
  world.zone.set("app.test", ["10.0.0.1"]).set("db.test", ["10.0.0.2"]);
  world.discovery.update([APP, DB]);
  await world.pass(20_000);
  assertEquals(world.told, [{ names: ["app.test", "db.test"], at: GATHER_MS }]);
  world.zone.set("db.test", ["10.0.0.3"]);
  await world.pass(6000);
  assertEquals(world.told.at(-1)?.names, ["db.test"]);
  await world.discovery.close();
});

Deno.test("status() a name that fails at start is no more than that, and is found later", async () => {
  const world = new World();
  world.discovery.update([APP]);
  await world.pass(100);
  assertEquals(world.discovery.status(), [{
    dns: "app.test",
    type: "host",
    state: "failing",
    reason: "server failure",
    members: [],
    ageMs: null,
    nextInMs: 900,
  }]);
  world.zone.set("app.test", ["10.0.0.1"]);
  await world.pass(1000);
  assertEquals([world.discovery.status()[0]?.state, world.hosts(APP)], ["good", ["10.0.0.1"]]);
  await world.discovery.close();
});

Deno.test("settled() waits for the first lookup of every name, whether it succeeds or not", async () => {
  const world = new World();
  world.zone.set("app.test", ["10.0.0.1"]);
  world.discovery.update([APP, DB]);
  let settled = false;
  const waiting = world.discovery.settled(10_000).then(() => settled = true);
  assert(!settled);
  await world.pass(0);
  assert(settled);
  await waiting;
  await world.discovery.settled(10_000);
  assertEquals(world.hosts(APP), ["10.0.0.1"]);
  await world.discovery.close();
  assertEquals(world.timers.size, 0);
});

Deno.test("settled() waits no longer than it is told", async () => {
  const world = new World();
  world.silent.add("app.test");
  world.discovery.update([APP]);
  let settled = false;
  world.discovery.settled(3000).then(() => settled = true);
  await world.pass(2999);
  assert(!settled);
  await world.pass(1);
  assert(settled);
  await world.discovery.close();
});

Deno.test("update() a dropped name's lookup is aborted and its servers are gone", async () => {
  const world = new World();
  world.zone.set("db.test", ["10.0.0.2"]);
  world.silent.add("app.test");
  world.discovery.update([APP, DB]);
  await world.pass(100);
  world.discovery.update([DB]);
  await settle();
  assertEquals([world.aborted, world.discovery.status().map(({ dns }) => dns)], [["app.test"], ["db.test"]]);
  assertEquals(world.hosts(DB), ["10.0.0.2"]);
  await world.discovery.close();
});

Deno.test("#start() a lookup that throws counts as failed and is made again", async () => {
  const world = new World();
  world.bug = new Error("boom");
  world.discovery.update([APP, { dns: "_app._tcp.test", type: "SRV" }]);
  await world.pass(1500);
  assertEquals(world.asked.length, 4);
  const reasons = world.discovery.status().map(({ reason }) => reason);
  assertEquals(reasons, ["the lookup itself failed: boom", "the lookup itself failed: boom"]);
  await world.discovery.close();
});

Deno.test("close() leaves no timer, tells nothing more and lets everyone go", async () => {
  const world = new World();
  world.silent.add("app.test");
  world.zone.set("db.test", ["10.0.0.2"]);
  world.discovery.update([APP, DB]);
  const waiting = world.discovery.settled(60_000);
  await settle();
  await world.discovery.close();
  await waiting;
  world.discovery.update([APP, DB]);
  await world.pass(60_000);
  assertEquals([world.timers.size, world.told, world.asked.length, world.aborted], [0, [], 2, ["app.test"]]);
});
