import type { Input } from "../../vrrp/events.ts";
import { SyncGroups, tracksFor } from "../../mod/runtime/sync_groups.ts";
import { Machine } from "../../vrrp/machine.ts";
import { assertEquals } from "../assert.ts";
import { CONFIG } from "../vrrp/machine_driver.ts";

/** Virtual routers of one node, of one group but for the last. */
function routers() {
  const groups = new SyncGroups();
  const all = ["a", "b", "c", "alone"].map((name) => {
    const machine = new Machine({ ...CONFIG, synced: name !== "alone" });
    const syncGroup = name === "alone" ? null : "g";
    const input = (one: Input) => {
      machine.handle(one, 0);
      if (syncGroup !== null) groups.settle(syncGroup, all);
    };
    return { settings: { name, syncGroup }, machine, sync: () => machine.sync(), input };
  });
  for (const one of all) one.input({ kind: "start" });
  return { groups, all, states: () => all.map(({ machine }) => machine.state) };
}

Deno.test("SyncGroups() what happens to a member in the middle of an answer is answered too", () => {
  const { all, states } = routers();
  const fault = (at: number) => ({ kind: "hardFault", what: `card ${at}`, reason: "is broken" }) as const;
  all[0]!.input(fault(0));
  assertEquals(states(), ["fault", "fault", "fault", "backup"]);
  all[1]!.input(fault(1));
  all[0]!.input({ kind: "faultCleared", what: "card 0" });
  assertEquals(all[0]!.machine.status(0).reason, "sync group: b: card 1: is broken");
  all[1]!.input({ kind: "faultCleared", what: "card 1" });
  assertEquals(states(), ["backup", "backup", "backup", "backup"]);
});

Deno.test("SyncGroups() a member that left the group binds nobody, and one that comes joins those that are active", () => {
  const { all, groups, states } = routers();
  all[2]!.input({ kind: "hardFault", what: "card", reason: "is broken" });
  groups.settle("g", all.slice(0, 2));
  assertEquals(states().slice(0, 2), ["backup", "backup"]);
  for (const { machine } of all.slice(0, 2)) machine.handle({ kind: "tick" }, 100_000);
  groups.settle("g", all.slice(0, 2));
  assertEquals(states().slice(0, 2), ["active", "active"]);
  all[2]!.machine.handle({ kind: "faultCleared", what: "card" }, 100_000);
  groups.settle("g", all);
  assertEquals(states(), ["active", "active", "active", "backup"]);
});

Deno.test("tracksFor() what one of a sync group tracks counts for all of it, once", () => {
  const track = (name: string) => ({ kind: "listener", name, weight: null }) as const;
  const one = (syncGroup: string | null, ...names: string[]) =>
    ({ runner: { syncGroup }, track: names.map(track) }) as unknown as Parameters<typeof tracksFor>[0];
  const all = [one("g", "web"), one("g", "db", "web"), one("h", "mail"), one(null, "dns")];
  const names = all.map((each) => tracksFor(each, all).map((track) => "name" in track && track.name));
  assertEquals(names, [["web", "db"], ["web", "db"], ["mail"], ["dns"]]);
});
