import { answerRequest, type SocketFacts } from "../../mod/runtime/keeper_requests_io.ts";
import { assertEquals } from "../assert.ts";

async function asked(
  method: string,
  path: string,
  allowed = true,
): Promise<{ status: number; told: unknown; done: string[] }> {
  const done: string[] = [];
  const facts: SocketFacts = {
    status: () => Promise.resolve({ node: "lb1" }),
    metrics: () => Promise.resolve("tandem_vrrp_active 1\n"),
    upgrade: () => {
      done.push("upgrade");
      return Promise.resolve(allowed ? { pid: 7, version: "2" } : { problem: "the node is stopping" });
    },
  };
  const answer = await answerRequest(facts, new Request(`http://localhost${path}`, { method }), "ann");
  const text = await answer.text();
  return { status: answer.status, told: text.startsWith("{") ? JSON.parse(text) : text, done };
}

Deno.test("answerRequest() tells, and has another program take over", async () => {
  assertEquals(await asked("GET", "/status"), { status: 200, told: { node: "lb1" }, done: [] });
  assertEquals((await asked("GET", "/metrics")).told, "tandem_vrrp_active 1\n");
  assertEquals(await asked("POST", "/upgrade"), {
    status: 200,
    told: { done: true, pid: 7, version: "2" },
    done: ["upgrade"],
  });
  assertEquals((await asked("POST", "/upgrade", false)).told, { error: "the node is stopping" });
});

Deno.test("answerRequest() refuses other words, methods and places, and then does nothing", async () => {
  const refused: [string, string, number][] = [
    ["GET", "/upgrade", 405],
    ["POST", "/status", 405],
    ["POST", "/reload", 404],
    ["GET", "/toString", 404],
  ];
  for (const [method, path, status] of refused) {
    const { done, ...answer } = await asked(method, path);
    assertEquals([answer.status, done], [status, []], path);
  }
});
