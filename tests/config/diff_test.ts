import { buildSnapshot } from "../../mod/config/build.ts";
import { describeDiff, diffSnapshots } from "../../mod/config/diff.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { good } from "./reading.ts";

const rows = new RowAllocator({ listeners: 10, pools: 10, servers: 10 });

const BASE = `listeners:
  - { name: web, bind: ":80", pool: app }
  - { name: db, bind: ":81", pool: app, protocol: tcp }
pools:
  app: { servers: ["10.0.0.1:80"] }
  old: { servers: ["10.0.0.2:80"] }
`;

async function snapshot(text: string, generation = 1): Promise<Snapshot> {
  const config = await good(text);
  const resolve = (pool: string, at: number) => {
    const source = config.pools[pool]!.servers[at]!.source;
    return source.kind === "address" ? [source] : [];
  };
  return buildSnapshot(config, { generation, node: "n1", directory: ".", rows, resolve });
}

async function changes(...edits: [from: string, to: string][]): Promise<Record<string, readonly string[]>> {
  const after = edits.reduce((text, [from, to]) => text.replace(from, to), BASE);
  return describeDiff(diffSnapshots(await snapshot(BASE), await snapshot(after, 2)));
}

Deno.test("diffSnapshots() the same configuration again does not differ, in whatever rows it lies", async () => {
  assertEquals(await changes(), {});
  const fresh = await snapshot(BASE);
  const moved = {
    ...fresh,
    pools: fresh.pools.map((pool) => ({
      ...pool,
      row: pool.row + 5,
      servers: pool.servers.map((server) => ({ ...server, slot: server.slot + 5 })),
    })),
  };
  assertEquals(describeDiff(diffSnapshots(fresh, moved)), {});
});

Deno.test("diffSnapshots() names what was added, removed and changed, and in what", async () => {
  assertEquals(
    await changes(
      ["  - { name: db", "  - { name: api, bind: ':82', pool: app }\n  - { name: db2"],
      ['":80"', '":8080"'],
      ["  old:", "  new:"],
      ['["10.0.0.1:80"]', '["10.0.0.3:80"], balance: first'],
    ),
    {
      listenersAdded: ["api", "db2"],
      listenersRemoved: ["db"],
      listenersChanged: ["web(binds)"],
      poolsAdded: ["new"],
      poolsRemoved: ["old"],
      poolsChanged: ["app(balance servers)"],
    },
  );
});

Deno.test("diffSnapshots() another order of listeners or pools is no difference, another log is", async () => {
  assertEquals(
    await changes(["  app: { servers", "  zzz: { servers"], ["  old: { servers", "  app: { servers"]),
    {
      poolsAdded: ["zzz"],
      poolsRemoved: ["old"],
      poolsChanged: ["app(servers)"],
    },
  );
  const { listeners, ...rest } = await snapshot(BASE);
  assertEquals(
    describeDiff(diffSnapshots({ listeners, ...rest }, { listeners: listeners.toReversed(), ...rest })),
    {},
  );
  assertEquals(await changes(["pools:", "log: { access: json }\npools:"]), { alsoChanged: ["log"] });
});
