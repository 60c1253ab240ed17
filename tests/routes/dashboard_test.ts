import { createAdminApp } from "../../routes/app.ts";
import type { Access } from "../../routes/auth.ts";
import { History } from "../../routes/dashboard/history.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { sampleServer, sampleStatus, sampleTraffic } from "../observe/sample_status.ts";
import { VRRP } from "../observe/sample_election.ts";
import { NO_API } from "./no_desk.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import type { NodeStatus } from "../../mod/observe/status.ts";
import { planView } from "../../routes/dashboard/plan.tsx";
import { type ViewProps, views } from "../../routes/dashboard/view.tsx";

const viewText = (props: ViewProps) => Object.values(views(props)).join("");

const REMOTE: Access = { from: "remote", token: "a-long-secret-token" };

function app(access: Access) {
  return createAdminApp({
    ...NO_API,
    state: () => "serving",
    status: () => sampleStatus(),
    traffic: sampleTraffic,
  }, access);
}

Deno.test("the page is anybody's and says nothing, its events are for those who may read", async () => {
  for (
    const path of ["/", "style.css", "script.js", "charts.js", "uplot.js", "uplot.css"].map((name) =>
      name === "/" ? name : `/dashboard/${name}`
    )
  ) {
    const response = await app(REMOTE).request(path);
    assertEquals([response.status, (await response.text()).includes("lb1")], [200, false], path);
  }
  const page = await app(REMOTE).request("/");
  assertStringIncludes(page.headers.get("content-security-policy") ?? "", "default-src 'none'");
  await page.body?.cancel();
  const refused = await app(REMOTE).request("/dashboard/events");
  assertEquals(refused.status, 401);
  await refused.body?.cancel();
});

Deno.test("events come at once, and say when neither process answers", async () => {
  const response = await app(REMOTE).request("/dashboard/events", {
    headers: { authorization: `Bearer ${REMOTE.token}` },
  });
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  const text = new TextDecoder().decode(value);
  assertEquals(text.startsWith("data: "), true);
  const { top: html, points, whole } = JSON.parse(text.slice(6));
  assertEquals([points, whole], [[], true]);
  assertStringIncludes(html, "The balancer does not answer");
  assertStringIncludes(html, "The keeper does not answer");
  await reader.cancel();
});

Deno.test("HEAD opens no page: who asks so for ever takes no place and starts no clock", async () => {
  const one = app(REMOTE);
  const headers = { authorization: `Bearer ${REMOTE.token}` };
  for (let asked = 0; asked < 100; asked++) {
    assertEquals((await one.request("/dashboard/events", { method: "HEAD", headers })).status, 200);
  }
  const response = await one.request("/dashboard/events", { headers });
  assertEquals(response.status, 200);
  await response.body?.cancel();
});

Deno.test("View() escapes whatever a node, a server or a peer says", () => {
  const evil = `<img src=x onerror=alert(1)>"'`;
  const status = sampleStatus();
  const node: NodeStatus = {
    ...status,
    pools: [{ name: "app", balance: "roundRobin", queued: 1, servers: [sampleServer({ reason: evil })] }],
  };
  const text = viewText({ node, keeper: keeperOf(evil), history: new History(), now: Date.now() });
  assertEquals(text.includes("<img"), false);
  assertStringIncludes(text, "&lt;img src=x");
});

Deno.test("views() has one timeline of instances and servers, newest first", () => {
  const { top } = views({ node: sampleStatus(), keeper: keeperOf(""), history: new History(), now: 660_000 });
  const items = [...top.matchAll(/<li>(.*?)<\/li>/g)].map(([, item = ""]) => item.replace(/<[^>]+>/g, ""));
  assertEquals(items, [
    "3s ago edge at 203.0.113.9 was heard of as also active: it is not signed",
    "1m ago app/a went from down to up: probe succeeded: 200",
    "9m ago edge on lb1 went from backup to active: it preempts",
  ]);
});

Deno.test("View() tells a refused reload, and who holds an address and why", () => {
  const keeper = { ...keeperOf("it is so"), refused: { at: 0, problems: ["tandem.yaml:1:1: no"] } };
  const text = viewText({ node: null, keeper, history: new History(), now: 60_000 });
  const parts = ["The last reload was refused 1m ago", "tandem.yaml:1:1: no", "203.0.113.10/24", "lb1"];
  for (const part of [...parts, "edge on lb1 went from backup to", ": it preempts"]) {
    assertStringIncludes(text, part);
  }
});

Deno.test("planView() says what a reload would change, or why it would be refused, and escapes it", () => {
  assertStringIncludes(planView(null), "The keeper does not answer");
  assertStringIncludes(planView({ problems: [], changes: [] }), "The file says what runs");
  const refused = planView({ problems: ["tandem.yaml:1:1: <b>"], changes: [] });
  assertStringIncludes(refused, "would be refused");
  assertStringIncludes(refused, "&lt;b&gt;");
  const change = {
    what: "server",
    name: "app/<i>",
    change: "removed",
    fields: [],
    effect: "it is finished",
  } as const;
  const text = planView({ problems: [], changes: [change] });
  for (const part of ["app/&lt;i&gt;", "removed", "it is finished", 'data-path="api/reload"']) {
    assertStringIncludes(text, part);
  }
});

Deno.test("the plan is for those who may read", async () => {
  const refused = await app(REMOTE).request("/dashboard/plan");
  assertEquals(refused.status, 401);
  await refused.body?.cancel();
  const headers = { authorization: `Bearer ${REMOTE.token}` };
  const answer = await app(REMOTE).request("/dashboard/plan", { headers });
  assertStringIncludes(await answer.text(), "The keeper does not answer");
});

Deno.test("History() has rates, times and shares of failures, and is bounded", () => {
  const history = new History();
  const at = (count: number): NodeStatus => {
    const { listeners: [web], pools: [app], ...rest } = sampleStatus({ startedAt: 0 });
    const buckets = web!.latency.buckets.map((_, bucket) => bucket === 3 ? count : 0);
    return {
      ...rest,
      listeners: [{
        ...web!,
        counters: { ...web!.counters, requests: count, responses5xx: count / 10 },
        latency: { ...web!.latency, buckets },
      }],
      pools: [{
        ...app!,
        servers: [
          sampleServer({
            counters: { ...sampleServer().counters, requests: count, responses5xx: count / 10 },
          }),
        ],
      }],
    };
  };
  for (let second = 0; second < 400; second++) history.add(second * 1000, at(second * 20));
  assertEquals(history.points.length, 300);
  assertEquals(history.points.at(-1), {
    ...{ at: 399_000, requests: 20, errors: 2, p50: 10, p99: 10 },
    ...{ connections: sampleStatus().listeners[0]!.counters.active, received: 0, sent: 0 },
  });
  assertEquals(history.rate(sampleStatus().listeners[0]!.name), 20);
  assertEquals(history.rate("nobody"), null);
  assertEquals([history.failed("app/a"), history.failed("nobody")], [0.1, null]);
});

Deno.test("History() of a balancer that was started anew begins again", () => {
  const history = new History();
  history.add(1000, sampleStatus({ startedAt: 0 }));
  history.add(2000, sampleStatus({ startedAt: 0 }));
  history.add(3000, sampleStatus({ startedAt: 2500 }));
  assertEquals(history.points.length, 1);
});

function keeperOf(why: string, instances = VRRP.instances): KeeperStatus {
  return {
    pid: 1,
    node: "lb1",
    version: "0.1.0",
    file: "/etc/tandem/tandem.yaml",
    uptimeMs: 1000,
    generation: 1,
    reloading: false,
    refused: null,
    drift: [],
    logLevel: "info",
    upgrading: false,
    functions: [],
    adminUrl: null,
    balancer: {
      state: "running",
      pid: 2,
      restarts: 0,
      lastDeath: null,
      badLines: 0,
      lagMs: 1,
      counters: null,
      pools: {},
    },
    vrrp: { ...VRRP, instances: instances.map((each) => ({ ...each, why })) },
    kernel: { problem: null, services: [], fragments: 0 },
  };
}

Deno.test("views() offers no hand-over to a node that is not heard or not ready, and shows it as unheard", () => {
  const text = (change: object) => {
    const keeper = keeperOf("");
    const instances = keeper.vrrp.instances.map((one) => ({
      ...one,
      state: "active" as const,
      peers: one.peers.map((peer) => ({
        ...peer,
        silentMs: 9000,
        silent: false,
        state: "backup" as const,
        ...change,
      })),
    }));
    const vrrp = { ...keeper.vrrp, instances };
    return viewText({ node: null, keeper: { ...keeper, vrrp }, history: new History(), now: 0 });
  };
  assertStringIncludes(text({}), 'id="move-edge"');
  assertStringIncludes(text({}), "Asked for");
  assertStringIncludes(text({}), "backup, heard 9 s ago");
  const silent = text({ silent: true });
  assertStringIncludes(silent, "backup?, not heard for 9s");
  for (const view of [silent, text({ state: "fault" }), text({ maintenance: true })]) {
    assertEquals(view.includes('id="move-edge"'), false);
  }
});

Deno.test("views() shows strangers that are active, the death of a balancer, and what is unchecked in no colour", () => {
  const keeper = keeperOf("");
  const stranger = {
    ...{ address: "10.0.0.66", mac: "02:00:00:00:00:66", priority: 200, silentMs: 1000, adverts: 3 },
    why: "it has other keys",
  };
  const instances = keeper.vrrp.instances.map((one) => ({ ...one, foreign: [stranger] }));
  const balancer = { ...keeper.balancer, restarts: 2, lastDeath: "signal SIGKILL" };
  const pools = [{
    ...{ name: "app", balance: "first", queued: 0 },
    servers: [sampleServer({ state: "unchecked" })],
  }];
  const text = viewText({
    node: sampleStatus({ pools }),
    keeper: { ...keeper, balancer, vrrp: { ...keeper.vrrp, instances } },
    history: new History(),
    now: 700_000,
  });
  const plain = text.replace(/<[^>]+>/g, "");
  for (
    const part of [
      "1s ago edge at 10.0.0.66 was heard of as also active: it has other keys",
      "also active: 10.0.0.66 (MAC 02:00:00:00:00:66)",
      "The balancer was restarted 2 times; the last one ended: signal SIGKILL",
    ]
  ) assertStringIncludes(plain, part);
  assertStringIncludes(text, '<span class="state">unchecked</span>');
});
