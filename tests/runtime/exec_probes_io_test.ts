import { ExecProbes, type ProbeAnswer } from "../../mod/runtime/exec_probes_io.ts";
import { assertEquals } from "../assert.ts";

const ORDER = { kind: "probe", id: 1, pool: "app", server: "one", host: "127.0.0.1", port: 80 } as const;

function probes(pending: () => boolean) {
  const known = new Set<string>();
  const answers: ProbeAnswer[] = [];
  const started: string[] = [];
  const all = new ExecProbes({
    pending,
    checkOf: (pool) => known.has(pool) ? { command: ["/bin/true"], timeoutMs: 1000 } : undefined,
    spawn: (path) => {
      started.push(path);
      throw new Error("not in this test");
    },
  });
  return { all, known, answers, started, run: () => all.run(ORDER, (answer) => answers.push(answer)) };
}

Deno.test("ExecProbes() an order for a configuration on offer waits until that is in force", async () => {
  let pending = true;
  const { all, known, answers, started, run } = probes(() => pending);
  await run();
  all.settled();
  assertEquals([answers.length, started.length], [0, 0]);
  known.add("app");
  pending = false;
  all.settled();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([answers.length, started], [1, ["/bin/true"]]);
});

Deno.test("ExecProbes() runs nothing for a pool without an exec check", async () => {
  const { answers, started, run } = probes(() => false);
  await run();
  assertEquals([answers[0]?.ok, answers[0]?.reason, started], [false, "the pool has no exec check", []]);
});
