import { answerRequest, type KeeperDesk } from "../../mod/runtime/keeper_requests_io.ts";
import { assertEquals } from "../assert.ts";

async function asked(
  method: string,
  path: string,
  allowed = true,
): Promise<{ status: number; told: unknown; done: string[] }> {
  const done: string[] = [];
  const desk: KeeperDesk = {
    status: () => Promise.resolve({ node: "lb1" }),
    metrics: () => Promise.resolve("tandem_vrrp_active 1\n"),
    move: (instance) => {
      done.push(`move ${instance}`);
      return instance === "edge" ? null : `there is no instance ${instance}`;
    },
    reload: () => {
      done.push("reload");
      return Promise.resolve({ problems: allowed ? [] : ["one", "two"] });
    },
    upgrade: () => {
      done.push("upgrade");
      return Promise.resolve(allowed ? { pid: 7, version: "2" } : { problem: "the node is stopping" });
    },
    maintain: (on) => {
      done.push(`maintain ${on}`);
      return on ? ["edge: no other node"] : [];
    },
  };
  const answer = await answerRequest(desk, new Request(`http://localhost${path}`, { method }));
  const text = await answer.text();
  return { status: answer.status, told: text.startsWith("{") ? JSON.parse(text) : text, done };
}

Deno.test("answerRequest() tells, and does what the operator wants", async () => {
  assertEquals(await asked("GET", "/status"), { status: 200, told: { node: "lb1" }, done: [] });
  assertEquals((await asked("GET", "/metrics")).told, "tandem_vrrp_active 1\n");
  assertEquals(await asked("POST", "/vip/move?instance=edge"), {
    status: 200,
    told: { done: true },
    done: ["move edge"],
  });
  assertEquals(await asked("POST", "/vip/move?instance=x"), {
    status: 409,
    told: { error: "there is no instance x" },
    done: ["move x"],
  });
  assertEquals((await asked("POST", "/maintenance?on=false")).done, ["maintain false"]);
  assertEquals(await asked("POST", "/reload"), { status: 200, told: { done: true }, done: ["reload"] });
  assertEquals((await asked("POST", "/reload", false)).told, { error: "one\ntwo" });
  assertEquals(await asked("POST", "/upgrade"), {
    status: 200,
    told: { done: true, pid: 7, version: "2" },
    done: ["upgrade"],
  });
  assertEquals((await asked("POST", "/upgrade", false)).told, { error: "the node is stopping" });
  assertEquals((await asked("POST", "/maintenance?on=true")).told, {
    done: true,
    warnings: ["edge: no other node"],
  });
});

Deno.test("answerRequest() refuses other words, methods and places, and then does nothing", async () => {
  const refused: [string, string, number][] = [
    ["POST", "/maintenance?on=perhaps", 400],
    ["GET", "/maintenance?on=true", 405],
    ["GET", "/vip/move?instance=edge", 405],
    ["POST", "/status", 405],
    ["GET", "/toString", 404],
  ];
  for (const [method, path, status] of refused) {
    const { done, ...answer } = await asked(method, path);
    assertEquals([answer.status, done], [status, []], path);
  }
});
