/** What an operator looks up, sets and forgets in a pool's table, by what real requests are told by. */
import type { StickKey } from "../../mod/config/sticky_snapshot.ts";
import { ask, serverOf, table, withSessions } from "../proxy/sticky_world.ts";
import type { World } from "../sim/world.ts";
import { assert, assertEquals } from "../assert.ts";

const by = (kind: StickKey["kind"], name = ""): StickKey => ({ kind, name });
const ALL = { limit: 1000, after: 0 };

/** What an operator sees and does of the world's pool. */
function operator({ state, tables: { sticks }, now }: World) {
  const pool = state.live.routes[0]!.pool!.snapshot;
  return {
    list: (asked: object = {}) => sticks.list(pool, { ...ALL, ...asked }, now)!,
    forget: (which: object) => sticks.forget(pool, which, now),
    set: (server: string, which: object) => sticks.set(pool, { server, ...which }, now),
  };
}

function from(world: World, host: string, more = ""): string {
  return serverOf(ask(world, world.connect(host), more, "/"));
}

const TOLD: [what: string, settings: object, host: string, header: string, value: string][] = [
  ["an address", {}, "192.0.2.7", "", "192.0.2.7"],
  ["an address of six", {}, "2001:db8::7", "", "2001:DB8:0::7"],
  ["a masked address", { mask: { ipv4: 24, ipv6: 64 } }, "192.0.2.7", "", "192.0.2.99"],
  ["a cookie", { by: [by("cookie", "sid")] }, "192.0.2.1", "Cookie: sid=one two\r\n", "one two"],
  ["a header", { by: [by("header", "x-user")] }, "192.0.2.1", "X-User: J\u00c3\u00bcrgen\r\n", "J\u00fcrgen"],
  ["an address among others", { by: [by("cookie", "sid"), by("sourceIp")] }, "192.0.2.7", "", "192.0.2.7"],
];
for (const [what, settings, host, header, value] of TOLD) {
  Deno.test(`Sticks a session is looked up, set and forgotten by ${what}`, () => {
    withSessions(table(settings), (world) => {
      assertEquals(from(world, host, header), "a");
      const told = operator(world);
      const [found] = told.list({ value }).sessions;
      assertEquals([found?.server, told.list({ value: "198.51.100.1" }).sessions], ["a", []]);
      assertEquals(told.list({ key: found!.key }).sessions, [found!]);
      assertEquals(told.set("c", { value }), 1);
      assertEquals(from(world, host, header), "c");
      assertEquals([told.forget({ value }), told.forget({ value })], [1, 0]);
      assertEquals(from(world, host, header), "b", "it is balanced anew");
    });
  });
}

Deno.test("Sticks a session is set before its client was ever there, by its key too, and on no other's server", () => {
  withSessions(table(), (world) => {
    const told = operator(world);
    assertEquals(told.set("b", { value: "192.0.2.1" }), 1);
    assertEquals(from(world, "192.0.2.1"), "b");
    const { key } = told.list().sessions[0]!;
    assertEquals(told.set("c", { key }), 1);
    assertEquals(from(world, "192.0.2.1"), "c");
    assertEquals([told.set("nobody", { key }), told.set("a", { value: "no address" })], [null, 0]);
  });
});

Deno.test("Sticks a table is told page by page, every session once", () => {
  withSessions(table(), (world) => {
    for (let host = 1; host <= 50; host++) from(world, `192.0.2.${host}`);
    const told = operator(world);
    const pages = [told.list({ limit: 7 })];
    for (let next = pages[0]!.next; next !== null; next = pages.at(-1)!.next) {
      pages.push(told.list({ limit: 7, after: next }));
    }
    const keys = pages.flatMap(({ sessions }) => sessions.map(({ key }) => key));
    const all = told.list();
    assertEquals([keys, new Set(keys).size], [all.sessions.map(({ key }) => key), keys.length]);
    assert(keys.length > 40 && pages.length === Math.ceil(keys.length / 7));
    assert(pages.every(({ sessions }) => sessions.length <= 7));
    assertEquals(told.list({ limit: keys.length }).next, null, "the last page is known to be the last");
    assertEquals(told.list({ after: 1e9 }).sessions, []);
  });
});
