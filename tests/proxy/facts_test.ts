/** What a head says of a request: facts for routes, the hash for servers, the lines that are added. */
import { hashText } from "../../mod/base/hash.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import type { PoolSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import type { RequestFacts } from "../../mod/route/match.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { HeadFacts, RequestRouter } from "../../mod/proxy/facts.ts";
import { ForwardedCache } from "../../mod/proxy/forwarded_cache.ts";
import type { LiveListener, LivePool } from "../../mod/proxy/environment.ts";
import { hashOfRequest } from "../../mod/proxy/hash_key.ts";
import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "../assert.ts";
import { type ReadRequest, request } from "../http1/feed.ts";

function read(raw: string): ReadRequest {
  const result = request(raw);
  assertEquals(result.outcome, "ok");
  return result;
}

function factsOf(raw: string): HeadFacts {
  const { head, info, bytes } = read(raw);
  return new HeadFacts().set(head, info, bytes, "192.0.2.1");
}

Deno.test("HeadFacts tell method, host, path and query of every form of target", () => {
  const rows: [raw: string, method: string, host: string, path: string, query: string][] = [
    ["GET /a/b?c=d HTTP/1.1\r\nHost: A.Test:8080\r\n\r\n", "GET", "a.test", "/a/b", "c=d"],
    ["GET / HTTP/1.1\r\nHost: a.test.\r\n\r\n", "GET", "a.test", "/", ""],
    ["GET /? HTTP/1.1\r\nHost: a.test.:80\r\n\r\n", "GET", "a.test", "/", ""],
    ["GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "GET", "[2001:db8::1]", "/", ""],
    ["GET http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET", "a.test", "/", ""],
    ["GET http://a.test?x HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET", "a.test", "/", "x"],
    ["OPTIONS * HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", "OPTIONS", "192.0.2.1", "*", ""],
    ["GET /x HTTP/1.0\r\n\r\n", "GET", "", "/x", ""],
  ];
  for (const [raw, method, host, path, query] of rows) {
    const facts = factsOf(raw);
    assertEquals([facts.method, facts.host, facts.path, facts.query], [method, host, path, query], raw);
  }
});

Deno.test("HeadFacts.header() joins repeated fields and ignores case", () => {
  const facts = factsOf("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:  2 \r\nEmpty:\r\n\r\n");
  assertEquals([facts.header("x-a"), facts.header("empty"), facts.header("x-b")], ["1, 2", "", null]);
});

Deno.test("RequestRouter.match() answers the same by bytes as by facts", () => {
  const any = { hosts: [], methods: [], headers: [], query: [] };
  const respond = { kind: "respond", status: 200, body: "", contentType: "" } as const;
  const routes: RouteSnapshot[] = [
    { match: { ...any, hosts: ["a.test"], path: "/x/*" }, action: respond },
    { match: { ...any, methods: ["POST"] }, action: respond },
    { match: { ...any, hosts: ["*.test"] }, action: respond },
  ];
  const router = new RequestRouter(buildRouteTable(routes));
  const facts = new HeadFacts();
  const expected: [raw: string, route: number][] = [
    ["GET /x/1 HTTP/1.1\r\nHost: a.test\r\n\r\n", 0],
    ["GET /y HTTP/1.1\r\nHost: a.test\r\n\r\n", 2],
    ["POST /y HTTP/1.1\r\nHost: a.test\r\n\r\n", 1],
    ["GET http://A.TEST/x/1 HTTP/1.1\r\nHost: a.test\r\n\r\n", 0],
    ["GET http://b.test HTTP/1.1\r\nHost: b.test\r\n\r\n", 2],
    ["GET / HTTP/1.1\r\nHost: other\r\n\r\n", -1],
  ];
  for (let round = 0; round < 3; round++) {
    for (const [raw, route] of expected) {
      const { head, info, bytes } = read(raw);
      assertEquals(router.match(head, info, bytes, "192.0.2.1", facts), route, raw);
    }
  }
});

Deno.test("RequestRouter.match() remembers only what method, host and path decided", () => {
  const any = { hosts: [], methods: [], headers: [], query: [] };
  const action = { kind: "respond", status: 200, body: "", contentType: "" } as const;
  const routes: RouteSnapshot[] = [
    { match: { ...any, path: "/a", headers: [["x-beta", "1"]] }, action },
    { match: { ...any, path: "/b", clients: ["192.0.2.1/32"] }, action },
    { match: { ...any, path: "/c", not: [{ ...any, query: [["v", true]] }] }, action },
    { match: any, action },
  ];
  let asked = 0;
  const table = buildRouteTable(routes);
  const counting = { ...table, match: (facts: RequestFacts) => (asked++, table.match(facts)) };
  const router = new RequestRouter(counting);
  const facts = new HeadFacts();
  const match = (target: string, fields = "", client = "192.0.2.1") => {
    const { head, info, bytes } = read(`GET ${target} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`);
    return router.match(head, info, bytes, client, facts);
  };
  for (let round = 0; round < 3; round++) {
    assertEquals([match("/a", "X-Beta: 1\r\n"), match("/a"), match("/a", "X-Beta: 2\r\n")], [0, 3, 3]);
    assertEquals([match("/b"), match("/b", "", "192.0.2.2")], [1, 3]);
    assertEquals([match("/c"), match("/c?v")], [2, 3]);
    asked = 0;
    assertEquals([match("/d"), match("/d?v", "X-Beta: 1\r\n", "192.0.2.2")], [3, 3]);
    assertEquals(asked, round === 0 ? 1 : 0, "a path that no condition stands on is found by its bytes");
  }
});

const POOL = { balance: "hash", hashOn: { kind: "sourceIp", name: "" } } as unknown as PoolSnapshot;

function hash(raw: string, hashOn: PoolSnapshot["hashOn"], client = "192.0.2.1"): number {
  const { head, info, bytes } = read(raw);
  return hashOfRequest({ ...POOL, hashOn }, client, head, info, bytes, new HeadFacts());
}

Deno.test("hashOfRequest() looks at what hashOn names, and at nothing else", () => {
  const raw = (target: string, more = "") => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
  const cookies = "Cookie: id=1; user=7; user=8\r\n";
  const rows: [kind: PoolSnapshot["hashOn"]["kind"], name: string, same: string[], other: string][] = [
    ["uri", "", [raw("/a?x"), raw("/a?x", "X: y\r\n")], raw("/a?y")],
    ["path", "", [raw("/a?x"), raw("/a?y")], raw("/b?x")],
    ["header", "x-user", [raw("/", "X-User: 7\r\n"), raw("/b", "x-user: 7\r\n")], raw("/", "X-User: 8\r\n")],
    ["cookie", "user", [raw("/", cookies), raw("/b", "Cookie: user=7\r\n")], raw("/", "Cookie: user=8\r\n")],
    ["query", "u", [raw("/?u=7"), raw("/b?x&u=%37&z")], raw("/?u=8")],
    ["sourceIp", "", [raw("/a"), raw("/b")], ""],
  ];
  for (const [kind, name, [one, two], other] of rows) {
    const hashOn = { kind, name };
    assertEquals(hash(one!, hashOn), hash(two!, hashOn), kind);
    if (other === "") assertNotEquals(hash(one!, hashOn), hash(one!, hashOn, "192.0.2.2"));
    else assertNotEquals(hash(one!, hashOn), hash(other, hashOn), kind);
  }
});

Deno.test("hashOfRequest() falls back on the source address, and costs nothing where nothing is hashed", () => {
  const raw = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const kind of ["header", "cookie", "query"] as const) {
    assertEquals(hash(raw, { kind, name: "u" }), hashText("192.0.2.1"));
  }
  const { head, info, bytes } = read(raw);
  const pool = { ...POOL, balance: "roundRobin" } as PoolSnapshot;
  assertEquals(hashOfRequest(pool, "192.0.2.1", head, info, bytes, new HeadFacts()), 0);
});

const NO_POOL = null;

function listener(trusted: string[]): LiveListener {
  return {
    trusts: (address: string) => trusted.includes(address),
    clientField: null,
  } as unknown as LiveListener;
}

function lines(
  cache: ForwardedCache,
  raw: string,
  live: LiveListener,
  pool: LivePool | null = NO_POOL,
): string {
  const { head, info, bytes } = read(raw);
  const { forwarded } = cache.additions(head, info, bytes, "192.0.2.1", live, pool, null);
  return latin1(forwarded, 0, forwarded.length);
}

Deno.test("ForwardedCache makes the lines once a host, and anew when host, version or listener change", () => {
  const cache = new ForwardedCache("192.0.2.1", "http", (_, at) => at);
  const live = listener([]);
  const raw = (host: string, version = "1.1") => `GET / HTTP/${version}\r\nHost: ${host}\r\n\r\n`;
  const { head, info, bytes } = read(raw("a.test"));
  const first = cache.additions(head, info, bytes, "192.0.2.1", live, NO_POOL, null).forwarded;
  assertStrictEquals(cache.additions(head, info, bytes, "192.0.2.1", live, NO_POOL, null).forwarded, first);
  assert(lines(cache, raw("b.test"), live).includes("X-Forwarded-Host: b.test\r\n"));
  assert(lines(cache, raw("b.test", "1.0"), live).includes("Via: 1.0 tandem\r\n"));
  const trusting = listener(["192.0.2.1"]);
  const claimed = "GET / HTTP/1.1\r\nHost: b.test\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n";
  assert(lines(cache, claimed, live).includes("X-Forwarded-For: 192.0.2.1\r\n"));
  assert(lines(cache, claimed, trusting).includes("X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n"));
  assert(
    lines(cache, raw("b.test"), trusting).includes("X-Forwarded-For: 192.0.2.1\r\n"),
    "nothing is remembered",
  );
  assert(
    lines(cache, claimed, live).includes("X-Forwarded-For: 192.0.2.1\r\n"),
    "trust is withdrawn by a reload",
  );
});

Deno.test("ForwardedCache names the pool's host for a client that named none", () => {
  const cache = new ForwardedCache("192.0.2.1", "http", (_, at) => at);
  const { head, info, bytes } = read("GET / HTTP/1.0\r\n\r\n");
  const pool = { fallbackHost: fromLatin1("app") } as LivePool;
  const { fallbackHost } = cache.additions(head, info, bytes, "192.0.2.1", listener([]), pool, null);
  assertEquals(latin1(fallbackHost, 0, fallbackHost.length), "app");
  assertEquals(
    cache.additions(head, info, bytes, "192.0.2.1", listener([]), NO_POOL, null).fallbackHost.length,
    0,
  );
});
