import { type LiveChanges, NO_CHANGES } from "../../mod/config/live.ts";
import { changeLive, type LiveCommand } from "../../mod/runtime/live_commands.ts";
import { assert, assertEquals } from "../assert.ts";

const NOW = { at: 2, by: "bob" };
const SERVERS = new Map([["app", ["a", "b", "names", "added"]], ["db", ["a"]]]);
const BEFORE: LiveChanges = {
  pools: {
    app: {
      a: { at: 1, by: "ann", state: "drain" },
      added: { at: 1, by: "ann", added: { address: "10.0.0.9:80" } },
    },
    db: { a: { at: 1, by: "ann", weight: 3 } },
  },
  logLevel: { at: 1, by: "ann", level: "debug" },
};

function changed(command: LiveCommand, live = BEFORE): LiveChanges {
  const result = changeLive(live, command, SERVERS, NOW);
  assert(!("problems" in result), JSON.stringify(result));
  return result;
}

function refused(command: LiveCommand): string {
  const result = changeLive(BEFORE, command, SERVERS, NOW);
  assert("problems" in result);
  return `${result.status} ${result.problems.join()}`;
}

Deno.test("changeLive() sets a server, and leaves what was set of it and of others", () => {
  const next = changed({ do: "setServer", pool: "app", server: "a", weight: 5 });
  assertEquals(next.pools.app!.a, { ...NOW, state: "drain", weight: 5 });
  assertEquals({ ...next, pools: { ...next.pools, app: BEFORE.pools.app! } }, BEFORE);
  const one = changed({ do: "setServer", pool: "app", server: "names#10.0.0.1", state: "maint" }, NO_CHANGES);
  assertEquals(one, { pools: { app: { "names#10.0.0.1": { ...NOW, state: "maint" } } } });
});

Deno.test("changeLive() adds servers, and removes those of the file and those that were added", () => {
  const settings = { address: "10.0.0.8:80" };
  const added = changed({
    do: "addServer",
    pool: "app",
    server: "new",
    settings,
    weight: 2,
    state: undefined,
  });
  assertEquals(added.pools.app!.new, { ...NOW, added: settings, weight: 2 });
  assertEquals(changed({ do: "removeServer", pool: "app", server: "b" }).pools.app!.b, {
    ...NOW,
    removed: true,
  });
  assertEquals(Object.keys(changed({ do: "removeServer", pool: "app", server: "added" }).pools.app!), ["a"]);
});

Deno.test("changeLive() goes back to the file: a server, a pool, all", () => {
  assertEquals(Object.keys(changed({ do: "reset", pool: "app", server: "a" }).pools.app!), ["added"]);
  assertEquals(Object.keys(changed({ do: "reset", pool: "app" }).pools), ["db"]);
  assertEquals(changed({ do: "reset" }), NO_CHANGES);
});

Deno.test("changeLive() says what there is instead of what there is not", () => {
  const expected: [LiveCommand, string][] = [
    [{ do: "setServer", pool: "ap", server: "a", weight: 1 }, "404 there is no pool ap; did you mean app?"],
    [{ do: "reset", pool: "other" }, "404 there is no pool other; there is app, db"],
    [
      { do: "setServer", pool: "app", server: "zzz", weight: 1 },
      "404 there is no server zzz in pool app; there is a, b, names, added",
    ],
    [{ do: "setServer", pool: "app", server: "a" }, "400 nothing is to be set: state, weight or both"],
    [
      { do: "addServer", pool: "app", server: "a", settings: { address: "10.0.0.1:80" } },
      "409 pool app has a server a already",
    ],
    [
      { do: "removeServer", pool: "app", server: "names#10.0.0.1" },
      "409 names#10.0.0.1 is one address of a name, which goes with the name only",
    ],
  ];
  for (const [command, said] of expected) assertEquals(refused(command), said);
});
