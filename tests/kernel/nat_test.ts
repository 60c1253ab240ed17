import { natTable } from "../../mod/kernel/nat.ts";
import type { Shares } from "../../mod/kernel/plan.ts";
import { type Table, tableText } from "../../mod/kernel/table.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { assertGolden, planOf, shares } from "./golden.ts";

const POOL = `pools: { app: { servers: ["10.0.0.11:8080", { name: b, address: "10.0.0.12:8080" }] } }`;
const listener = (rest = "", bind = '"203.0.113.10:80"') =>
  `listeners: [{ name: web, bind: ${bind}, protocol: tcp, forward: nat, pool: app ${rest} }]`;
const BOTH = shares({ "10.0.0.11:8080": 1, b: 2 });

async function table(text: string, given: Shares): Promise<Table> {
  const made = natTable(await planOf(text), given);
  assert(made !== null);
  return made;
}

async function rules(text: string, given: Shares, chain: string): Promise<readonly string[]> {
  return (await table(text, given)).chains.find(({ name }) => name === chain)?.rules ?? [];
}

Deno.test("natTable() one listener over two servers of different weight", async () => {
  await assertGolden("nat.nft", tableText(await table(`${listener()}\n${POOL}`, BOTH)));
});

Deno.test("natTable() both families on every address, a range of ports, clients remembered, those of the dead reset", async () => {
  const text = `listeners:
  - { name: "dns_[all]", bind: ":53", protocol: udp, forward: nat, pool: app }
  - name: range
    bind: ["203.0.113.10:8000-8099", "[2001:db8::10]:8000-8099"]
    protocol: tcp
    forward: nat
    pool: media
    kernel: { masquerade: false, persist: 30m, persistEntries: 1000, whenServerDown: reset }
pools:
  app:
    balance: random
    servers: ["10.0.0.11:53", "[2001:db8::11]:53"]
  media:
    balance: hash
    hashMethod: mod
    hashOn: connection
    servers: ["10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000", "[2001:db8::11]:8000"]
`;
  const given = new Map([
    ...shares({ "10.0.0.11:53": 256, "[2001:db8::11]:53": 256 }),
    [
      "media",
      shares({ "10.0.0.11:8000": 1, "!10.0.0.12:8000": 0, "-10.0.0.13:8000": 0, "[2001:db8::11]:8000": 1 })
        .get("app")!,
    ] as const,
  ]);
  await assertGolden("nat-all.nft", tableText(await table(text, given)));
});

Deno.test("natTable() no listener wants it: there is none", async () => {
  const proxied = `listeners: [{ name: web, bind: ":80", protocol: tcp, pool: app }]\n${POOL}`;
  assertEquals(natTable(await planOf(proxied), BOTH), null);
});

Deno.test("natTable() a server that takes no new connections is not chosen, and what it has goes on", async () => {
  const text = `${listener()}\n${POOL}`;
  const drained = shares({ "10.0.0.11:8080": 0, b: 2 });
  assertEquals(await rules(text, drained, "to4/web"), ["goto to/web/b"]);
  for (const chain of ["hide", "hide4/web", "count", "count4/web"]) {
    const before = await rules(text, BOTH, chain);
    assert(before.length > 0);
    assertEquals(await rules(text, drained, chain), before);
  }
});

Deno.test("natTable() without a server nothing is rewritten, so that this machine refuses", async () => {
  assertEquals(await rules(`${listener()}\n${POOL}`, shares({ "10.0.0.11:8080": 0, b: 0 }), "services"), []);
});

Deno.test("natTable() connections to a server that is down are reset only where that is wanted, of a closed one never", async () => {
  const given = shares({ "!10.0.0.11:8080": 0, "-b": 0 });
  const reset = await rules(
    `${listener(", kernel: { whenServerDown: reset }")}\n${POOL}`,
    given,
    "count4/web",
  );
  const [rule] = reset.filter((one) => one.includes("reject"));
  assertStringIncludes(rule ?? "", "ip daddr . th dport { 10.0.0.11 . 8080 } reject with tcp reset");
  assertEquals(
    (await rules(`${listener()}\n${POOL}`, given, "count4/web")).filter((one) => one.includes("reject")),
    [],
  );
});

Deno.test("natTable() maglev hashes in a table of its own size with a constant seed", async () => {
  const pool = POOL.replace("{ servers", "{ balance: maglev, servers");
  const [rule = ""] = await rules(`${listener()}\n${pool}`, BOTH, "to4/web");
  assertStringIncludes(rule, "jhash ip saddr mod 4093 seed 0x74616e64 vmap { 0 : goto ");
  assertEquals(rule.match(/goto/g)?.length, 4093);
});
