import type { AdminApp } from "../../mod/runtime/admin_server_io.ts";
import { PairLine } from "../../mod/runtime/pair_line_io.ts";
import {
  allowedMs,
  describeRequest,
  framesOf,
  type PeerRequest,
  refusalOf,
} from "../../mod/runtime/peer_request.ts";
import { PeerRequests } from "../../mod/runtime/peer_requests_io.ts";
import type { Log } from "../../mod/observe/log.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";

const KEYS = [{ id: 1, secret: new TextEncoder().encode("a secret of the pair") }];
const GET: PeerRequest = { method: "GET", path: "/status", body: null, role: "reader", by: "ann" };
const QUIET = { info() {}, warning() {} } as unknown as Log;

interface Node {
  readonly line: PairLine;
  readonly requests: PeerRequests;
}

function node(name: string, port: number, api: AdminApp["fetch"]): Node {
  const line = new PairLine({
    exchange: (first, from) => made.requests.exchange(JSON.parse(first), from)!,
    ...{ log: QUIET, port },
  });
  const made: Node = {
    line,
    requests: new PeerRequests({ line, node: name, api: () => ({ fetch: api }) }),
  };
  return made;
}

/** Two nodes that know each other; the second answers by `api`. */
async function withPair(
  api: AdminApp["fetch"],
  use: (one: Node, other: Node, port: number) => Promise<void>,
  keys = KEYS,
): Promise<void> {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr as Deno.NetAddr;
  probe.close();
  const one = node("lb1", port, () => new Response("{}")), other = node("lb2", port, api);
  const peer = (name: string, last: number) => ({ node: name, address: `127.81.13.${last}` });
  one.line.update({ local: "127.81.13.2", peers: [peer("lb2", 3)], keys: KEYS });
  // What comes over loopback to it comes from 127.0.0.1.
  other.line.update({ local: "127.81.13.3", peers: [{ node: "lb1", address: "127.0.0.1" }], keys });
  try {
    await use(one, other, port);
  } finally {
    one.line.close();
    other.line.close();
  }
}

Deno.test("PeerRequests() does nothing that was meant for another node", async () => {
  let asked = 0;
  await withPair(() => {
    asked++;
    return new Response("{}");
  }, async ({ requests }) => {
    const led = await requests.ask("lb3", "127.81.13.3", GET);
    assertEquals([led.status, JSON.parse(led.body).error, asked], [502, "this is node lb2", 0]);
  });
});

Deno.test("describeRequest() tells no log of a configuration, nor of what clients are told by", () => {
  const describe = (path: string, body: string | null) =>
    describeRequest({ ...GET, method: "PUT", path, body });
  for (
    const [path, place] of [
      ["/plan", "/plan"],
      ["/pl%61n", "/pl%61n"],
      ["/%70lan?x=1", "/%70lan"],
      ["/log/../plan", "/plan"],
      ["/log/%2e%2e/plan", "/plan"],
      ["/plan/", "/plan/"],
      ["/%zz", "/%zz"],
      ["/../api/plan", "/plan"],
      ["//plan", "//plan"],
      ["//[", "//["],
      ["/pools/app/sessions", "/pools/app/sessions"],
      ["/pools/app/sessions?value=secret", "/pools/app/sessions"],
      ["/pools/app/servers/..\\sessions", "/pools/app/sessions"],
      ["/pools/servers/sessions", "/pools/servers/sessions"],
    ] as const
  ) {
    assertEquals(describe(path, '{"value":"secret"}'), `PUT /api${place}`, path);
  }
  assertEquals(describe("/pools/app/sessions?value=secret", null), "PUT /api/pools/app/sessions");
  for (
    const [path, body] of [
      ["/maintenance", '{"on":true}'],
      ["/log", '{"level":"debug"}'],
      ["/pools/app/servers", '{"address":"10.0.0.9:80"}'],
      ["/pools/app/servers/n%2310.0.0.1", '{"weight":3}'],
      ["/cache/purge", '{"all":true}'],
    ] as const
  ) {
    assertEquals(describe(path, body), `PUT /api${path} ${body}`);
  }
});

Deno.test("allowedMs() gives a reload its time whatever its query", () => {
  const [reload, other] = ["/reload", "/log"].map((path) => allowedMs({ path }));
  assertEquals([allowedMs({ path: "/reload?x=1" }), reload! > other!], [reload, true]);
});

Deno.test("PeerRequests() hands a request with who asks, and the whole answer back, however long", async () => {
  const long = JSON.stringify("ä😀".repeat(400_000));
  const seen: unknown[] = [];
  await withPair(async (request, { peer }) => {
    const { pathname, search } = new URL(request.url);
    seen.push([request.method, pathname + search, await request.text(), peer]);
    return new Response(long, { status: request.method === "GET" ? 200 : 409 });
  }, async ({ requests }) => {
    const read = await requests.ask("lb2", "127.81.13.3", { ...GET, path: "/pools?x=1" });
    assertEquals([read.status, read.body === long], [200, true]);
    const change = { ...GET, method: "PATCH", body: '{"level":"debug"}', role: "operator" } as const;
    assertEquals((await requests.ask("lb2", "127.81.13.3", change)).status, 409);
  });
  assertEquals(seen, [
    ["GET", "/api/pools?x=1", "", "ann, through node lb1"],
    ["PATCH", "/api/status", '{"level":"debug"}', "ann, through node lb1"],
  ]);
});

Deno.test("PeerRequests() answers 502 with the reason when the other cannot be asked", async () => {
  const foreign = [{ id: 1, secret: new TextEncoder().encode("another secret of it") }];
  await withPair(() => new Response("{}"), async ({ requests }) => {
    const unknown = await requests.ask("lb2", "127.81.13.3", GET);
    assertEquals(unknown.status, 502);
    assertStringIncludes(unknown.body, "node lb2 at 127.81.13.3 cannot be asked");
    const nobody = await requests.ask("lb3", "127.81.13.9", GET, " (it has version 2, this one 1)");
    assertEquals(nobody.status, 502);
    assertMatch(nobody.body, /refused.* \(it has version 2, this one 1\)/i);
  }, foreign);
});

Deno.test("PairLine() keeps places for peers while strangers hold connections open", async () => {
  await withPair(() => new Response("{}"), async ({ requests, line }, other, port) => {
    // Known by no address from now on: whoever comes is a stranger.
    other.line.update({ local: "127.81.13.3", peers: [], keys: KEYS });
    const strangers = await Promise.all(
      Array.from({ length: 6 }, () => Deno.connect({ hostname: "127.81.13.3", port })),
    );
    // Two are kept waiting for their hello; those that find no place are closed at once.
    const { promise: four, resolve } = Promise.withResolvers<void>();
    let ended = 0;
    const reading = strangers.map(async (one) => {
      await one.read(new Uint8Array(1)).catch(() => null);
      if (++ended === 4) resolve();
    });
    await four;
    other.line.update({
      local: "127.81.13.3",
      peers: [{ node: "lb1", address: "127.0.0.1" }],
      keys: KEYS,
    });
    assertEquals((await requests.ask("lb2", "127.81.13.3", GET)).status, 200);
    for (const one of strangers) one.close();
    await Promise.all(reading);
    line.close();
  });
});

Deno.test("PairLine() readers who wait for a node that is stuck keep nobody from changing it, nor files from it", async () => {
  const { promise: stuck, resolve: goOn } = Promise.withResolvers<Response>();
  const { promise: full, resolve: isFull } = Promise.withResolvers<void>();
  let waiting = 0;
  const change = { ...GET, method: "PATCH", body: "{}", role: "operator" } as const;
  await withPair(({ method }) => {
    if (method === "PATCH") return new Response("{}");
    if (++waiting === 6) isFull();
    return stuck.then((one) => one.clone());
  }, async ({ requests, line }) => {
    const readers = Array.from({ length: 20 }, () => requests.ask("lb2", "127.81.13.3", GET));
    await full;
    assertEquals((await requests.ask("lb2", "127.81.13.3", change)).status, 200);
    const said = await line.speak("files", "127.81.13.3", 5000, async (link) => {
      await link.send(JSON.stringify({ node: "lb2", request: change }));
      return JSON.parse(await link.receive());
    });
    assertEquals(said.status, 200);
    goOn(new Response("{}"));
    const answers = (await Promise.all(readers)).map(({ status }) => status).sort();
    assertEquals(answers, [...Array(6).fill(200), ...Array(14).fill(502)]);
  });
});

Deno.test("refusalOf() lets readers read and hands nothing on a second time", () => {
  assertEquals(refusalOf(GET), null);
  assertEquals(refusalOf({ ...GET, method: "POST", path: "/reload" })?.status, 403);
  assertEquals(refusalOf({ ...GET, method: "POST", path: "/reload", role: "operator" }), null);
  assertEquals(refusalOf({ ...GET, path: "/status?x=1&node=lb1" })?.status, 400);
});

Deno.test("framesOf() refuses an answer that nobody could take", () => {
  const [head, piece] = framesOf({ status: 200, body: "x".repeat(17 * 1024 * 1024) });
  assertEquals(JSON.parse(head!), { status: 500, pieces: 1 });
  assertStringIncludes(JSON.parse(piece!), "too long");
});
