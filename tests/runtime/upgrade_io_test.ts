import { upgrade, type Upgraded } from "../../mod/runtime/upgrade_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const HELLO = `echo '{"kind":"hello","protocol":1,"version":"2.0"}'`;
const READY = `read live; read balancer; echo '{"kind":"ready"}'`;

/** An upgrade to a shell script; what was done on the way. */
async function upgradeTo(script: string, letGo = () => Promise.resolve("the node")) {
  const done: string[] = [];
  const upgraded = await upgrade({
    start() {
      return new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stdout: "piped" }).spawn();
    },
    carryLive: () => "changes",
    carryBalancer: () => Promise.resolve("known"),
    serves: (name) => name === "works",
    letGo: () => (done.push("let go"), letGo()),
    takeBack: () => Promise.resolve(void done.push("took back")),
  }, () => {});
  return { upgraded, done };
}

function problemOf(upgraded: Upgraded): string {
  return "problem" in upgraded ? upgraded.problem : "";
}

Deno.test("upgrade() tells the new program what it needs, step by step, and lets go", async () => {
  const script = `${HELLO}; ${READY}; read keeper
    case "$live" in *changes*) ;; *) exit 6;; esac
    case "$balancer" in *known*) case "$keeper" in *"the node"*) echo '{"kind":"taken","later":1}';; esac;; esac
    read end || exit 5`;
  const { upgraded, done } = await upgradeTo(script);
  assert("successor" in upgraded, problemOf(upgraded));
  assertEquals([upgraded.successor.version, done], ["2.0", ["let go"]]);
  await upgraded.successor.leave();
  assertEquals((await upgraded.successor.ended).code, 5, "the end of its input says that it is the node");
});

Deno.test("upgrade() says why nothing came of it, and nothing was let go", async () => {
  const cases: [string, string][] = [
    ["exit 3", "ended (exit 3) before it had the node"],
    ["kill -9 $$", "ended (killed by SIGKILL)"],
    [
      `echo '{"kind":"hello","protocol":2,"version":"9"}'; read x`,
      "tandem 9 hands over by version 2, this one by 1",
    ],
    [`${HELLO}; read x; echo '{"kind":"failed","problems":["a","b"]}'; read y`, "a; b"],
    [`echo '{"kind":"ready"}'; read x`, "said ready before hello"],
    [`echo nonsense; echo '{"kind":"tomorrow"}'; ${HELLO}; exit 0`, "ended (exit 0)"],
  ];
  for (const [script, problem] of cases) {
    const { upgraded, done } = await upgradeTo(script);
    assertStringIncludes(problemOf(upgraded), problem);
    assertEquals(done, []);
  }
});

Deno.test("upgrade() loses no function that works here", async () => {
  const ready = (broken: unknown) =>
    `${HELLO}; read live; read balancer; echo '${JSON.stringify({ kind: "ready", broken })}'`;
  const [works, never] = ["works", "never"].map((name) => ({ name, reason: "no such thing" }));
  const refused = await upgradeTo(`${ready([never, works])}; read keeper`);
  assertEquals(
    [problemOf(refused.upgraded), refused.done],
    ["the new program cannot load function works, which works here: no such thing", []],
  );
  const taken = await upgradeTo(`${ready([never])}; read keeper; echo '{"kind":"taken"}'; read end`);
  assert("successor" in taken.upgraded, problemOf(taken.upgraded));
  await taken.upgraded.successor.leave();
  await taken.upgraded.successor.ended;
});

Deno.test("upgrade() takes back what it has let go when the new program does not take it", async () => {
  for (
    const end of [
      "exit 1",
      `echo '{"kind":"failed","problems":["no"]}'; read x`,
      `echo '{"kind":"ready"}'; read x`,
    ]
  ) {
    const { upgraded, done } = await upgradeTo(`${HELLO}; ${READY}; read keeper; ${end}`);
    assert("problem" in upgraded);
    assertEquals(done, ["let go", "took back"]);
  }
});

Deno.test("upgrade() gives up when this is not the moment to let go", async () => {
  const { upgraded, done } = await upgradeTo(
    `${HELLO}; ${READY}; read keeper`,
    () => Promise.reject(new Error("moving")),
  );
  assertEquals([problemOf(upgraded), done], ["moving", ["let go"]]);
});

Deno.test("upgrade() says what the system refuses", async () => {
  const port = {
    start: () => new Deno.Command("/no/such/program", { stdin: "piped", stdout: "piped" }).spawn(),
    carryLive: () => "{}",
    carryBalancer: () => Promise.resolve(""),
    serves: () => true,
    letGo: () => Promise.resolve(""),
    takeBack: () => Promise.resolve(),
  };
  assertStringIncludes(problemOf(await upgrade(port, () => {})), "/no/such/program");
});
