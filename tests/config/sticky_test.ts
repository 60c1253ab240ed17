/** The sessions of pools: what may be said of them, and what it comes to. */
import { assertEquals, assertNotEquals } from "../assert.ts";
import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import { makeServerId } from "../../mod/config/server_id_io.ts";
import type { PoolSnapshot } from "../../mod/config/snapshot.ts";
import { errors, good, LISTENER, poolWith, serversOf } from "./reading.ts";

async function built(text: string): Promise<PoolSnapshot> {
  const config = await good(text);
  const snapshot = buildSnapshot(config, {
    generation: 1,
    node: "n1",
    directory: ".",
    rows: new RowAllocator({ listeners: 4, pools: 4, servers: 16 }),
    resolve: (pool, at) => {
      const { source } = config.pools[pool]!.servers[at]!;
      return source.kind === "address" ? [source] : [];
    },
    makeServerId,
  });
  return snapshot.pools[0]!;
}

Deno.test("buildSnapshot() spells out the sessions of a pool", async () => {
  const simple = {
    kind: "cookie",
    mode: "insert",
    name: "SRV",
    indirect: true,
    noCache: true,
    preserve: false,
    maxIdleMs: 0,
    maxLifeMs: 0,
    attributes: "; Path=/; HttpOnly",
    redispatch: true,
  } as const;
  assertEquals((await built(poolWith("sticky: { cookie: SRV }"))).sticky, simple);
  const attributes = "secure: true, httpOnly: false, sameSite: none, domain: example.com, path: /app";
  const full = await built(poolWith(`sticky: { cookie: SRV, maxIdle: 30m, maxLife: 8h, ${attributes} }`));
  assertEquals(full.sticky, {
    ...simple,
    maxIdleMs: 1_800_000,
    maxLifeMs: 28_800_000,
    attributes: "; Path=/app; Domain=example.com; Secure; SameSite=None",
  });
  assertEquals((await built(poolWith("sticky: { by: sourceIp, mask: { ipv4: 24 } }"))).sticky, {
    kind: "table",
    by: [{ kind: "sourceIp", name: "" }],
    mask: { ipv4: 24, ipv6: 128 },
    ttlMs: 1_800_000,
    size: 102_400,
    learn: [],
    storeRequest: true,
    redispatch: true,
  });
  const learning = 'by: ["cookie:SID", "header:X-Sid"], learn: ["setCookie:SID", "header:X-Sid"], size: 1m';
  const { sticky } = await built(poolWith(`sticky: { ${learning}, ttl: 2h, redispatch: false }`));
  assertEquals(sticky, {
    kind: "table",
    by: [{ kind: "cookie", name: "SID" }, { kind: "header", name: "x-sid" }],
    mask: { ipv4: 32, ipv6: 128 },
    ttlMs: 7_200_000,
    size: 1_048_576,
    learn: [{ kind: "setCookie", name: "SID" }, { kind: "header", name: "x-sid" }],
    storeRequest: false,
    redispatch: false,
  });
});

Deno.test("buildSnapshot() ids are of the address and the secret alone, unless they are given", async () => {
  const ids = async (servers: string, sticky = "cookie: SRV") =>
    (await built(serversOf(servers) + `\n    sticky: { ${sticky} }`)).servers.map(({ id }) => id!);
  const servers = '[{ name: a, address: "10.0.0.1:80" }, { name: b, address: "10.0.0.2:80" }]';
  const [a, b] = await ids(servers);
  assertEquals([a!.length, b!.length], [12, 12]);
  assertNotEquals(a, b);
  const renamed = '["10.0.0.2:80", { name: x, address: "10.0.0.1:80", weight: 5 }]';
  assertEquals(await ids(renamed), [b, a]);
  assertEquals(await ids(servers, "by: sourceIp"), [a, b]);
  const secret = "secret: sixteen-characters";
  const [other] = await ids(servers, `cookie: SRV, ${secret}`);
  assertNotEquals(other, a);
  assertEquals((await ids(renamed, `cookie: OTHER, ${secret}`))[1], other);
  assertEquals(await ids('[{ address: "10.0.0.1:80", cookie: s1 }, "10.0.0.2:80"]'), ["s1", b]);
});

Deno.test("buildSnapshot() has no secret in it, and no ids without sessions", async () => {
  const secret = JSON.stringify(await built(poolWith("sticky: { cookie: SRV, secret: sixteen-characters }")));
  assertEquals(secret.includes("sixteen"), false);
  assertEquals("id" in (await built(poolWith())).servers[0]!, false);
});

Deno.test("checkSticky() either a cookie or a table, each with what is its own", async () => {
  assertEquals(await errors(poolWith("sticky: {}")), [
    "5:5 «sticky» pools.app.sticky: must have either cookie or by",
  ]);
  assertEquals(await errors(poolWith("sticky: { cookie: A, by: sourceIp }")), [
    "5:5 «sticky» pools.app.sticky: must have either cookie or by",
  ]);
  assertEquals(await errors(poolWith("sticky: { cookie: A, ttl: 5m }")), [
    "5:26 «ttl» pools.app.sticky.ttl: has no sense with cookie; it needs by",
  ]);
  assertEquals(await errors(poolWith("sticky: { by: 'cookie:A', mode: insert, mask: { ipv4: 8 } }")), [
    "5:31 «mode» pools.app.sticky.mode: has no sense with by; it needs cookie",
    "5:45 «mask» pools.app.sticky.mask: has no sense without sourceIp in by",
  ]);
  assertEquals(
    await errors(poolWith("sticky: { cookie: A, mode: prefix, indirect: true, secret: 0123456789abcdef }")),
    [
      "5:40 «indirect» pools.app.sticky.indirect: has no sense with mode prefix; it needs insert",
    ],
  );
  assertEquals(await errors(poolWith("sticky: { cookie: A, sameSite: none }")), [
    "5:36 «none» pools.app.sticky.sameSite: needs secure: browsers take no such cookie without",
  ]);
  assertEquals(await errors(poolWith("sticky: { by: sourceIp, storeRequest: false }")), [
    "5:43 «false» pools.app.sticky.storeRequest: needs learn: nothing would ever be remembered",
  ]);
});

Deno.test("checkSticky() what the fields may hold", async () => {
  assertEquals(
    await errors(
      poolWith(
        "sticky:",
        "  cookie: 'a b'",
        "  domain: 'x;y'",
        "  path: app",
        "  secret: short",
        "  maxIdle: 5",
      ),
    ),
    [
      "6:15 «'a b'» pools.app.sticky.cookie: must be the name of a cookie, not \"a b\"",
      "7:15 «'x;y'» pools.app.sticky.domain: must be a domain, not \"x;y\"",
      "8:13 «app» pools.app.sticky.path: must begin with a slash",
      "9:15 «short» pools.app.sticky.secret: must be at least 16 characters",
      "10:16 «5» pools.app.sticky.maxIdle: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not 5",
    ],
  );
  assertEquals(
    await errors(poolWith("sticky:", "  by: [ip, 'header:']", "  learn: 'cookie:A'", "  size: 5m")),
    [
      '6:12 «ip» pools.app.sticky.by[0]: must be sourceIp, sni, header:NAME, cookie:NAME or query:NAME, not "ip"',
      "6:16 «'header:'» pools.app.sticky.by[1]: must be sourceIp, sni, header:NAME, cookie:NAME or query:NAME, not \"header:\"",
      "7:14 «'cookie:A'» pools.app.sticky.learn: must be setCookie:NAME or header:NAME, not \"cookie:A\"",
      "8:13 «5m» pools.app.sticky.size: must be at most 4m",
    ],
  );
});

Deno.test("checkSticky() a pool of a tcp listener knows addresses and names alone", async () => {
  const tcp = 'listeners: [{ name: db, bind: ":80", protocol: tcp, pool: app }]';
  const over = (sticky: string) => errors(poolWith(`sticky: ${sticky}`).replace(LISTENER, tcp));
  assertEquals(await over("{ by: [sni, sourceIp] }"), []);
  assertEquals(await over("{ by: [sni, 'cookie:A'], learn: 'header:A' }"), [
    "5:25 «'cookie:A'» pools.app.sticky.by[1]: must be sourceIp or sni in a pool of a tcp listener, which sees no requests",
    "5:38 «learn» pools.app.sticky.learn: cannot be had in a pool of a tcp listener, which sees no answers",
  ]);
  assertEquals(await over("{ cookie: A }"), [
    "5:15 «cookie» pools.app.sticky.cookie: cannot be had in a pool of a tcp listener, which sees no requests",
  ]);
});

Deno.test("checkSticky() ids that servers are given", async () => {
  const servers = '[{ address: "10.0.0.1:80", cookie: s1 }, { address: "10.0.0.2:80", cookie: s1 }]';
  assertEquals(await errors(serversOf(servers) + "\n    sticky: { cookie: A }"), [
    "4:89 «s1» pools.app.servers[1].cookie: is that of pools.app.servers[0]",
  ]);
  assertEquals(await errors(serversOf('[{ address: "10.0.0.1:80", cookie: s1 }]')), [
    "4:41 «cookie» pools.app.servers[0].cookie: has no sense in a pool without sticky.cookie",
  ]);
  assertEquals(
    await errors(serversOf('[{ address: "app:80", cookie: s1 }]') + "\n    sticky: { cookie: A }"),
    [
      "4:36 «cookie» pools.app.servers[0].cookie: needs a server with an IP address, as a name may have several",
    ],
  );
  assertEquals(
    await errors(serversOf('[{ address: "10.0.0.1:80", cookie: "a|b" }]') + "\n    sticky: { cookie: A }"),
    [
      '4:49 «"a|b"» pools.app.servers[0].cookie: must be 1 to 64 letters, digits and . _ : @ + = / -, not "a|b"',
    ],
  );
});
