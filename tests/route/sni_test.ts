import fc from "fast-check";
import type { RouteSnapshot, TlsMatch } from "../../mod/config/snapshot.ts";
import { type HelloFacts, needsHello, SniTable } from "../../mod/route/sni.ts";
import { assertEquals } from "../assert.ts";

function route(tls?: Partial<TlsMatch>): RouteSnapshot {
  const match = { hosts: [], methods: [], headers: [], query: [] };
  const action = { kind: "pool", pool: "app" } as const;
  return tls === undefined
    ? { match, action }
    : { match: { ...match, tls: { sni: [], alpn: [], ...tls } }, action };
}

const ask = (serverName: string, ...protocols: string[]): HelloFacts => ({ serverName, protocols });

Deno.test("SniTable.match() first match wins, by exact name, wildcard and protocol", () => {
  const table = new SniTable([
    route({ sni: ["a.test"], alpn: ["h2", "h3"] }),
    route({ sni: ["a.test", "b.test"] }),
    route({ sni: ["*.a.test"] }),
    route({ sni: ["x.a.test"] }),
    route({ alpn: ["acme-tls/1"] }),
    route(),
    route({ sni: ["c.test"] }),
  ]);
  assertEquals(table.match(ask("a.test", "http/1.1", "h2")), 0);
  assertEquals(table.match(ask("a.test", "http/1.1")), 1);
  assertEquals(table.match(ask("b.test")), 1);
  assertEquals(table.match(ask("x.a.test")), 2, "the wildcard stands first");
  assertEquals(table.match(ask("y.x.a.test")), 2, "any number of labels");
  assertEquals(table.match(ask("xa.test", "acme-tls/1")), 4);
  assertEquals(table.match(ask("", "h2", "acme-tls/1")), 4, "no name is needed");
  assertEquals(table.match(ask("")), 5);
  assertEquals(table.match(ask("c.test")), 5);
  assertEquals(table.fallback, 5);
});

Deno.test("SniTable.match() none matches where no route is without conditions", () => {
  const table = new SniTable([route({ sni: ["a.test", "*.b.test"] })]);
  assertEquals([table.match(ask("")), table.match(ask("c.test")), table.match(ask("b.test"))], [-1, -1, -1]);
  assertEquals(table.fallback, -1);
});

Deno.test("SniTable.match() is what trying route after route finds", () => {
  const name = fc.constantFrom("a.test", "b.a.test", "c.b.a.test", "z.test", "test");
  const pattern = fc.constantFrom("a.test", "b.a.test", "*.a.test", "*.b.a.test", "*.test", "z.test");
  const protocol = fc.constantFrom<string>("h2", "h3", "x");
  const routes = fc.array(
    fc.record({ sni: fc.array(pattern, { maxLength: 2 }), alpn: fc.array(protocol, { maxLength: 2 }) }),
    {
      maxLength: 6,
    },
  );
  const asked = fc.record({ serverName: fc.oneof(name, fc.constant("")), protocols: fc.array(protocol) });
  fc.assert(fc.property(routes, asked, (all, facts) => {
    const holds = ({ sni, alpn }: TlsMatch) =>
      (sni.length === 0 ||
        sni.some((one) =>
          one.startsWith("*.") ? facts.serverName.endsWith(one.slice(1)) : one === facts.serverName
        )) &&
      (alpn.length === 0 || alpn.some((one) => facts.protocols.includes(one)));
    assertEquals(new SniTable(all.map((tls) => route(tls))).match(facts), all.findIndex(holds));
  }));
});

Deno.test("needsHello() is said only where a route has conditions", () => {
  assertEquals([needsHello([route()]), needsHello([route(), route({ sni: ["a.test"] })])], [false, true]);
});
