import { loadConfig } from "../../mod/config/load.ts";
import { type LiveChanges, type LiveServer, lostServer, NO_CHANGES } from "../../mod/config/live.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const BY = { at: 1000, by: "ann" };
const FILE = `listeners: [{ name: web, bind: ":80", pool: app }]
pools:
  app:
    servers:
      - 10.0.0.1:80
      - { name: b, address: "10.0.0.2:80", weight: "\${WEIGHT}", state: drain }
      - { name: names, dns: app.internal, port: 80 }
admin: { bind: "127.0.0.1:9900" }`;

function live(servers: Record<string, Partial<LiveServer>>, more: Partial<LiveChanges> = {}): LiveChanges {
  const app = Object.fromEntries(Object.entries(servers).map(([name, one]) => [name, { ...BY, ...one }]));
  return { pools: { app }, ...more };
}

async function loaded(changes: LiveChanges, text = FILE) {
  return await loadConfig(text, {
    file: "tandem.yaml",
    node: null,
    context: null,
    env: (name) => name === "WEIGHT" ? "3" : undefined,
    live: changes,
  });
}

/** What is in force of the servers, or the problems. */
async function servers(changes: LiveChanges, text = FILE) {
  const result = await loaded(changes, text);
  if ("problems" in result) return result.problems.map(({ path, message }) => `${path}: ${message}`);
  return result.config.pools.app!.servers.map(({ name, state, weight }) => `${name} ${state} ${weight}`);
}

Deno.test("applyLive() lays states, weights and servers over the file, by the names that it gives", async () => {
  const changes = live({
    "10.0.0.1:80": { state: "maint", weight: 7 },
    b: { state: "ready" },
    new: { added: { address: "10.0.0.9:80", slowStart: "30s" }, weight: 2, state: "drain" },
    names: { removed: true },
  });
  assertEquals(await servers(changes), ["10.0.0.1:80 maint 7", "b ready 3", "new drain 2"]);
});

Deno.test("applyLive() tells every setting that is not as the file says, who changed it and when", async () => {
  const result = await loaded(
    live({ b: { state: "ready", weight: 5 }, "10.0.0.1:80": { removed: true } }, {
      logLevel: { ...BY, level: "debug" },
    }),
  );
  assert("config" in result);
  assertEquals(result.config.log.level, "debug");
  assertEquals(result.drift, [
    { of: "app/b", setting: "state", live: "ready", file: "drain", ...BY },
    { of: "app/b", setting: "weight", live: 5, file: 3, ...BY },
    { of: "app/10.0.0.1:80", setting: "removed", live: true, file: null, ...BY },
    { of: "log", setting: "level", live: "debug", file: "info", ...BY },
  ]);
});

Deno.test("applyLive() forgets what the file says by now, and what it has no place for", async () => {
  const result = await loaded({
    pools: {
      ...live({
        b: { state: "drain", weight: 3 },
        gone: { state: "drain" },
        // In the file under another name, and under the same.
        again: { added: { address: "10.0.0.1:80" } },
        names: { added: { address: "10.0.0.7:80" }, weight: 4 },
      }).pools,
      unknown: { x: { ...BY, state: "drain" } },
    },
    logLevel: { ...BY, level: "info" },
  });
  assert("config" in result);
  assertEquals(result.live, live({ names: { weight: 4 } }));
  assertEquals(await servers(result.live), ["10.0.0.1:80 ready 1", "b drain 3", "names ready 4"]);
  assertEquals(lostServer(live({ again: { added: { address: "10.0.0.1:80" } } }), result.live), "app/again");
  assertEquals(lostServer(live({ b: { state: "drain" } }), NO_CHANGES), null);
});

Deno.test("applyLive() keeps what is for one address of a name, for whoever knows the addresses", async () => {
  const changes = live({ "names#10.0.0.5": { state: "drain" } });
  const result = await loaded(changes);
  assert("config" in result);
  assertEquals(result.live, changes);
  assertEquals(result.config.pools.app!.servers[2]!.state, "ready");
  assertEquals(result.drift.map(({ of }) => of), ["app/names#10.0.0.5"]);
});

Deno.test("loadConfig() holds live changes to the rules of the file", async () => {
  const added = (address: string) => live({ x: { added: { address } } });
  assertEquals(await servers(added("nonsense")), [
    'pools.app.servers.x: must be host:port or [v6]:port, such as 10.0.0.11:8080, not "nonsense"',
  ]);
  assertStringIncludes((await servers(added("127.0.0.1:9900"))).join(), "cannot be the admin address");
  const none = live({
    "10.0.0.1:80": { removed: true },
    b: { removed: true },
    names: { removed: true },
  });
  assertStringIncludes((await servers(none)).join(), "must have at least one server");
  const asleep = live({ "10.0.0.1:80": { weight: 0 }, b: { weight: 0 }, names: { weight: 0 } });
  assertStringIncludes((await servers(asleep)).join(), "must have a server with a weight above 0");
});
