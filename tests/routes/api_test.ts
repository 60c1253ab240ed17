import { createApi, describeApi } from "../../routes/api/app.ts";
import type { Access } from "../../routes/auth.ts";
import { type Command, done, type Outcome, refused } from "../../mod/runtime/commands.ts";
import { type Desk, noDesk, Unavailable } from "../../mod/runtime/desk.ts";
import type { PeerAnswer, PeerRequest } from "../../mod/runtime/peer_request.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import { assert, assertEquals, assertNotMatch, assertStringIncludes } from "../assert.ts";
import { sampleStatus } from "../observe/sample_status.ts";

const SOCKET: Access = { from: "socket", token: null };
const TOKEN = "a-long-secret-token";
const REMOTE: Access = { from: "remote", token: TOKEN };
const NO_INSTANCES = { maintenance: true, timerLagMs: 0, instances: [] };
const DRIFT = [
  { of: "app/a", setting: "state", live: "drain", file: "ready", at: 1, by: "ann" },
] as const;

interface Done {
  readonly command: Command;
  readonly by: string;
}

function api(access: Access = SOCKET, desk: Partial<Desk> = {}, outcome: Outcome = done()) {
  const performed: Done[] = [];
  const app = createApi(
    {
      ...noDesk("nobody is asked"),
      node: () => Promise.resolve(sampleStatus()),
      keeper: () =>
        Promise.resolve({ node: "lb1", vrrp: NO_INSTANCES, drift: DRIFT } as never as KeeperStatus),
      perform: (command, by) => {
        performed.push({ command, by });
        return Promise.resolve(outcome);
      },
      plan: (text) => Promise.resolve({ problems: text === undefined ? [] : [`of ${text}`], changes: [] }),
      sessions: (pool) =>
        Promise.resolve(pool === "app" ? { size: 8, entries: 0, sessions: [], next: null } : null),
      ...desk,
    },
    access,
    "0.1.0",
  );
  return { app, performed };
}

type App = ReturnType<typeof api>["app"];

/** A request with a body in JSON, and what came of it. */
async function ask(
  app: App,
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
  from = {},
) {
  const json = body === undefined ? {} : {
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json" },
  };
  const response = await app.request(path, {
    method,
    ...json,
    headers: { ...json.headers, ...headers as Record<string, string> },
  }, { peer: "10.0.0.7", ...from });
  const text = await response.text();
  return { status: response.status, answer: JSON.parse(text) };
}

Deno.test("GET tells of the node, of its parts, and 404 of what there is not", async () => {
  const { app } = api();
  const { answer } = await ask(app, "GET", "/status");
  assertEquals([answer.node.node, answer.keeper.node], ["lb1", "lb1"]);
  const { pools, listeners } = sampleStatus();
  assertEquals((await ask(app, "GET", "/pools")).answer, JSON.parse(JSON.stringify(pools)));
  const [pool] = pools, [listener] = listeners;
  assertEquals((await ask(app, "GET", `/pools/${pool!.name}`)).answer.name, pool!.name);
  const server = encodeURIComponent(pool!.servers[0]!.name);
  assertEquals((await ask(app, "GET", `/pools/${pool!.name}/servers/${server}`)).status, 200);
  assertEquals((await ask(app, "GET", `/listeners/${listener!.name}`)).answer.protocol, listener!.protocol);
  assertEquals((await ask(app, "GET", "/certificates")).answer[0].state, "file");
  assertEquals((await ask(app, "GET", "/maintenance")).answer, { on: true });
  assertEquals((await ask(app, "GET", "/changes")).answer, DRIFT);
  assertEquals((await ask(app, "GET", "/plan")).answer, { problems: [], changes: [] });
  assertEquals((await ask(app, "POST", "/plan", { text: "x" })).answer.problems, ["of x"]);
  assertEquals((await ask(app, "POST", "/plan", { text: "x" }, {}, { handedOn: true })).status, 403);
  const remote = api({ from: "remote", token: "t" }).app;
  assertEquals(
    (await ask(remote, "POST", "/plan", { text: "x" }, { authorization: "Bearer t" })).status,
    403,
  );
  assertEquals((await ask(app, "GET", "/pools/app/sessions?limit=5")).answer.size, 8);
  for (
    const path of [
      "/pools/x",
      "/pools/app/servers/x",
      "/listeners/x",
      "/instances/x",
      "/pools/x/sessions",
      "/x",
    ]
  ) {
    const { status, answer } = await ask(app, "GET", path);
    assertEquals([status, typeof answer.error], [404, "string"], path);
  }
  assertEquals((await ask(app, "GET", "/pools/app/sessions?limit=0")).status, 400);
  assertEquals((await ask(app, "GET", "/cache")).answer, sampleStatus().cache);
  for (const body of [{}, { all: false }, { path: "x" }, { paths: "/x" }]) {
    assertEquals((await ask(app, "POST", "/cache/purge", body)).status, 400, JSON.stringify(body));
  }
});

Deno.test("DELETE forgets no sessions by a query that it does not understand", async () => {
  const { app, performed } = api();
  const key = "0f".repeat(16);
  for (
    const query of ["vlaue=x", "server=a&value=x", `server=a&key=${key}`, `value=x&key=${key}`, "value="]
  ) {
    const { status, answer } = await ask(app, "DELETE", `/pools/app/sessions?${query}`);
    assertEquals([status, typeof answer.error], [400, "string"], query);
  }
  assertEquals(performed, []);
  assertEquals((await ask(app, "DELETE", "/pools/app/sessions")).status, 200);
  assertEquals(performed.length, 1);
});

Deno.test("each change is one command, with who wanted it", async () => {
  const server = { pool: "app", server: "10.0.0.1:80" };
  const path = "/pools/app/servers/10.0.0.1%3A80";
  const added = { address: "10.0.0.9:80", name: "new", backup: true, weight: 2 };
  const expected: [method: string, path: string, body: unknown, command: Command][] = [
    ["PATCH", path, { state: "drain" }, { do: "setServer", ...server, state: "drain" }],
    ["PATCH", path, { weight: 3 }, { do: "setServer", ...server, weight: 3 }],
    ["DELETE", path, undefined, { do: "removeServer", ...server }],
    [
      "PATCH",
      "/pools/app/servers/n%2310.0.0.1",
      { state: "maint" },
      { do: "setServer", pool: "app", server: "n#10.0.0.1", state: "maint" },
    ],
    ["POST", "/pools/app/servers", added, {
      do: "addServer",
      pool: "app",
      server: "new",
      settings: { address: "10.0.0.9:80", backup: true },
      weight: 2,
      state: undefined,
    }],
    ["DELETE", "/pools/app/sessions?server=a", undefined, { do: "forgetSessions", pool: "app", server: "a" }],
    ["DELETE", `/pools/app/sessions?key=${"0f".repeat(16)}`, undefined, {
      do: "forgetSessions",
      pool: "app",
      key: "0f".repeat(16),
    }],
    ["DELETE", "/pools/app/sessions?value=a%20b", undefined, {
      do: "forgetSessions",
      pool: "app",
      value: "a b",
    }],
    ["PUT", "/pools/app/sessions", { value: "10.0.0.1", server: "a" }, {
      do: "setSession",
      pool: "app",
      server: "a",
      value: "10.0.0.1",
    }],
    ["POST", "/cache/purge", { host: "a.test", path: "/x*" }, {
      do: "purgeCache",
      host: "a.test",
      path: "/x*",
    }],
    ["POST", "/cache/purge", { all: true }, { do: "purgeCache" }],
    ["POST", "/instances/edge/move", undefined, { do: "moveAddresses", instance: "edge" }],
    ["POST", "/certificates/shop.test/renew", undefined, { do: "renewCertificate", name: "shop.test" }],
    ["DELETE", "/certificates/shop.test", undefined, { do: "forgetCertificate", name: "shop.test" }],
    ["PUT", "/maintenance", { on: true }, { do: "setMaintenance", on: true }],
    ["DELETE", "/changes?pool=app", undefined, { do: "reset", pool: "app" }],
    ["PATCH", "/log", { level: "debug" }, { do: "setLogLevel", level: "debug" }],
    ["POST", "/reload", undefined, { do: "reload" }],
  ];
  for (const [method, path, body, command] of expected) {
    const { app, performed } = api();
    assertEquals(
      await ask(app, method, path, body),
      { status: 200, answer: { done: true, warnings: [] } },
      path,
    );
    assertEquals(performed, [{ command, by: "10.0.0.7" }], path);
  }
});

Deno.test("what is no sensible change is refused with every reason, and nothing is done", async () => {
  const path = "/pools/app/servers/a";
  const wrong: [body: unknown, status: number, error: RegExp][] = [
    [{ state: "gone", x: 1 }, 400, /^state: [^\n]*\nUnrecognized key/],
    [{ weight: 257 }, 400, /weight/],
    [{ weight: 1.5 }, 400, /weight/],
    ["{", 400, /JSON/],
    ["[]", 400, /./],
  ];
  for (const [body, status, error] of wrong) {
    const { app, performed } = api();
    const said = await ask(app, "PATCH", path, body);
    assertEquals(
      [said.status, error.test(said.answer.error), performed],
      [status, true, []],
      JSON.stringify(said),
    );
  }
  const { app, performed } = api();
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonx",
    ]
  ) {
    assertEquals((await ask(app, "PATCH", path, "{}", { "content-type": type })).status, 415, type);
  }
  assertEquals((await ask(app, "PATCH", path, "{}", { "content-length": "5000000" })).status, 413);
  assertEquals((await ask(app, "PATCH", path, "{}", { "transfer-encoding": "chunked" })).status, 411);
  assertEquals(performed, []);
});

Deno.test("an outcome that is none has its status and says why, and so has a process that does not answer", async () => {
  const { app } = api(SOCKET, {
    node: () => Promise.reject(new Unavailable("the balancer is starting")),
    keeper: () => Promise.reject(new Error("secret detail")),
  }, refused(409, "one", "two"));
  assertEquals(await ask(app, "POST", "/reload"), { status: 409, answer: { error: "one\ntwo" } });
  assertEquals(await ask(app, "GET", "/pools"), {
    status: 503,
    answer: { error: "the balancer is starting" },
  });
  assertEquals((await ask(app, "GET", "/status")).answer, { node: null, keeper: null });
  const { status, answer } = await ask(app, "GET", "/changes");
  assertEquals(status, 500);
  assertNotMatch(answer.error, /secret/);
});

Deno.test("guardChanges() wants the token over TCP, whatever the bind, and says so where there is none", async () => {
  const authorization = `Bearer ${TOKEN}`;
  for (const access of [REMOTE, { ...REMOTE, from: "loopback" } as const]) {
    const { app, performed } = api(access);
    for (
      const wrong of [{}, { authorization: "" }, { authorization: `${authorization}x` }, {
        authorization: "Bearer ",
      }]
    ) {
      assertEquals((await ask(app, "POST", "/reload", undefined, wrong)).status, 401);
    }
    assertEquals(performed, []);
    assertEquals((await ask(app, "POST", "/reload", undefined, { authorization })).status, 200);
    assertEquals(performed[0]?.by, "the token from 10.0.0.7");
  }
  const { app, performed } = api({ from: "loopback", token: null });
  assertEquals((await ask(app, "POST", "/reload", undefined, { authorization: "Bearer null" })).status, 403);
  assertEquals(performed, []);
});

Deno.test("guardChanges() refuses a page of another origin, even with the token and on the socket", async () => {
  const authorization = `Bearer ${TOKEN}`;
  const host = "127.0.0.1:9900";
  for (const access of [REMOTE, SOCKET]) {
    const { app, performed } = api(access);
    for (
      const origin of ["http://evil.example", "null", "http://127.0.0.1:9901", "http://127.0.0.1", "file://"]
    ) {
      assertEquals(
        (await ask(app, "POST", "/reload", undefined, { authorization, host, origin })).status,
        403,
        origin,
      );
    }
    assertEquals(performed, []);
    const same = { authorization, host, origin: `http://${host}` };
    assertEquals((await ask(app, "POST", "/reload", undefined, same)).status, 200);
  }
});

Deno.test("describeApi() names every operation once, with an answer, and what may go wrong with a change", () => {
  const { paths, openapi } = describeApi("0.1.0") as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
  };
  assertEquals(openapi, "3.1.0");
  assert(Object.values(paths).every((path) => "parameters" in path), "each can be asked of another node");
  const operations = Object.values(paths).flatMap(({ parameters: _, ...methods }) => Object.entries(methods));
  const names = operations.map(([, { operationId }]) => operationId);
  assertEquals(new Set(names).size, names.length);
  assert(names.includes("changeServer"));
  for (const [method, { responses, operationId }] of operations) {
    assert("200" in responses, operationId);
    if (method !== "get") {
      assert(["401", "403", "409", "503"].every((status) => status in responses), operationId);
    }
  }
});

/** A pair, of which this node is lb1; lb2 answers so. */
function pairApi(answer: PeerAnswer, access: Access = SOCKET, others: readonly string[] = ["lb2"]) {
  const asked: [string, PeerRequest][] = [];
  const made = api(access, {
    nodes: () => Promise.resolve({ own: "lb1", others }),
    askNode: (node, request) => {
      asked.push([node, request]);
      return Promise.resolve(answer);
    },
  });
  return { ...made, asked };
}

const GOOD_ANSWER = { status: 200, body: '{"done":true,"warnings":[]}' };

Deno.test("throughNodes() has the peer answer, with who asks and what they may", async () => {
  const { app, asked, performed } = pairApi({ status: 418, body: '{"a":1}' }, REMOTE);
  const authorization = `Bearer ${TOKEN}`;
  assertEquals(await ask(app, "GET", "/pools?node=peer&x=1"), { status: 418, answer: { a: 1 } });
  await ask(app, "PATCH", "/log?node=lb2", { level: "debug" }, { authorization });
  assertEquals(asked, [
    ["lb2", { method: "GET", path: "/pools?x=1", body: null, role: "reader", by: "the token from 10.0.0.7" }],
    ["lb2", {
      method: "PATCH",
      path: "/log",
      body: '{"level":"debug"}',
      role: "operator",
      by: "the token from 10.0.0.7",
    }],
  ]);
  assertEquals((await ask(app, "PATCH", "/log?node=lb2", { level: "debug" })).status, 401);
  assertEquals([asked.length, performed.length], [2, 0]);
  await ask(app, "PATCH", "/log?node=lb1", { level: "debug" }, { authorization });
  assertEquals([asked.length, performed.length], [2, 1], "its own name is this node");
});

Deno.test("throughNodes() changes both, and tells of each what has come of it", async () => {
  const good = pairApi(GOOD_ANSWER);
  const both = await ask(good.app, "PATCH", "/pools/app/servers/a?node=both", { state: "drain" });
  assertEquals([both.status, both.answer.error], [200, undefined]);
  assertEquals(
    both.answer.nodes.map(({ node, status }: { node: string; status: number }) => [node, status]),
    [
      ["lb1", 200],
      ["lb2", 200],
    ],
  );
  assertEquals([good.performed.length, good.asked.length], [1, 1]);

  const half = pairApi({ status: 502, body: '{"error":"nobody answers there"}' });
  const told = await ask(half.app, "PATCH", "/pools/app/servers/a?node=both", { weight: 3 });
  assertEquals([told.status, told.answer.error], [502, "node lb2: nobody answers there"]);
  assertEquals(told.answer.nodes[0], { node: "lb1", status: 200, answer: { done: true, warnings: [] } });
  assertEquals(half.performed.length, 1);
});

Deno.test("throughNodes() tells both of the end of maintenance, and of purges", async () => {
  const { app, performed, asked } = pairApi(GOOD_ANSWER);
  assertEquals((await ask(app, "PUT", "/maintenance?node=both", { on: false })).status, 200);
  assertEquals((await ask(app, "POST", "/cache/purge?node=both", { all: true })).status, 200);
  assertEquals(asked.map(([node, { path }]) => [node, path]), [["lb2", "/maintenance"], [
    "lb2",
    "/cache/purge",
  ]]);
  assertEquals(performed.length, 2);
});

Deno.test("throughNodes() reloads one node after the other, and none after one that refuses", async () => {
  const refusal = { status: 409, body: '{"error":"tandem.yaml:1:1: is empty"}' };
  const { app, performed, asked } = pairApi(refusal, SOCKET, ["lb2", "lb3"]);
  const { status, answer } = await ask(app, "POST", "/reload?node=both&x=1");
  assertEquals([status, performed.length, asked.map(([node]) => node)], [409, 1, ["lb2"]]);
  assertEquals(
    answer.error,
    "node lb2: tandem.yaml:1:1: is empty\nnode lb3: node lb2 comes first, and has not done it",
  );
});

Deno.test("throughNodes() refuses both for what one node must go on without, and a peer that is none", async () => {
  const { app, performed, asked } = pairApi(GOOD_ANSWER);
  for (
    const [method, path, body, reason] of [
      [
        "PUT",
        "/maintenance?node=both",
        { on: true },
        "both in maintenance would leave the addresses to nobody",
      ],
      ["POST", "/instances/edge/move?node=both", undefined, "an instance has one owner"],
      ["DELETE", "/certificates/a.test?node=both", undefined, "share their certificates"],
      ["POST", "/certificates/a.test/renew?node=both", undefined, "share their certificates"],
      ["POST", "/plan?node=both", { text: "" }, "node=both is for what can be read"],
      ["GET", "/pools?node=peer&node=lb1", undefined, "node can be given once"],
    ] as const
  ) {
    const { status, answer } = await ask(app, method, path, body);
    assertEquals(status, 400, path);
    assertStringIncludes(answer.error, reason);
  }
  const alone = pairApi(GOOD_ANSWER, SOCKET, []), three = pairApi(GOOD_ANSWER, SOCKET, ["lb2", "lb3"]);
  for (const node of ["peer", "both"]) {
    assertEquals((await ask(alone.app, "GET", `/pools?node=${node}`)).status, 400);
  }
  assertEquals((await ask(three.app, "GET", "/pools?node=peer")).answer.error, "there is lb2, lb3: name one");
  assertEquals([performed, asked], [[], []]);
});

Deno.test("a method that a path does not have is 405 with those that it has, and a path that there is not 404", async () => {
  const allowed = async (method: string, path: string) => {
    const response = await api().app.request(`/api${path}`, { method });
    await response.body?.cancel();
    return [response.status, response.headers.get("allow")];
  };
  assertEquals(await allowed("PUT", "/status"), [405, "GET, HEAD"]);
  assertEquals(await allowed("POST", "/pools/app/sessions"), [405, "GET, HEAD, PUT, DELETE"]);
  assertEquals(await allowed("GET", "/reload"), [405, "POST"]);
  assertEquals(await allowed("PUT", "/nothing"), [404, null]);
});

Deno.test("the level of the log is told", async () => {
  const keeper = () => Promise.resolve({ logLevel: "debug" } as KeeperStatus);
  const { app } = api(SOCKET, { keeper });
  assertEquals(await ask(app, "GET", "/log"), { status: 200, answer: { level: "debug" } });
});
