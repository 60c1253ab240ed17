import { createApi, describeApi } from "../../routes/api/app.ts";
import type { Access } from "../../routes/auth.ts";
import { type Command, done, type Outcome, refused } from "../../mod/runtime/commands.ts";
import { type Desk, Unavailable } from "../../mod/runtime/desk.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import { assert, assertEquals, assertNotMatch } from "../assert.ts";
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
      node: () => Promise.resolve(sampleStatus()),
      keeper: () =>
        Promise.resolve({ node: "lb1", vrrp: NO_INSTANCES, drift: DRIFT } as never as KeeperStatus),
      perform: (command, by) => {
        performed.push({ command, by });
        return Promise.resolve(outcome);
      },
      plan: () => Promise.resolve({ problems: [], changes: [] }),
      sessions: (pool) => Promise.resolve(pool === "app" ? { size: 8, entries: 0, sessions: [] } : null),
      ...desk,
    },
    access,
    "0.1.0",
  );
  return { app, performed };
}

type App = ReturnType<typeof api>["app"];

/** A request with a body in JSON, and what came of it. */
async function ask(app: App, method: string, path: string, body?: unknown, headers: HeadersInit = {}) {
  const json = body === undefined ? {} : {
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json" },
  };
  const response = await app.request(path, {
    method,
    ...json,
    headers: { ...json.headers, ...headers as Record<string, string> },
  }, { peer: "10.0.0.7" });
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
  assertEquals((await ask(app, "PATCH", path, "{}", { "content-length": "70000" })).status, 413);
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
  const operations = Object.values(paths).flatMap((methods) => Object.entries(methods));
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
