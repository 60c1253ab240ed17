/** Agents of servers: their words, their line, and what follows from it in simulated time. */
import { assertEquals } from "../assert.ts";
import type { AgentSnapshot, PoolSnapshot, ServerSnapshot } from "../../mod/config/snapshot.ts";
import { AGENT } from "../../mod/health/agent_talk.ts";
import { heed, NO_WISH, wishWords } from "../../mod/health/agent_wish.ts";
import { checkOf } from "./check_of.ts";
import { pool, server, World } from "./world.ts";

const said = (...lines: string[]) => lines.reduce((wish, line) => heed(line, wish), NO_WISH);

Deno.test("heed() knows HAProxy's words, in any case and apart by anything", () => {
  assertEquals(said("up ready 75% maxconn:30"), { percent: 75, admin: "ready", down: null, limit: 30 });
  assertEquals(said("DRAIN,50%\tMAXCONN:2"), { percent: 50, admin: "drain", down: null, limit: 2 });
  assertEquals(said("maint"), { ...NO_WISH, admin: "maint" });
  for (const word of ["down", "failed", "fail", "stopped"]) {
    assertEquals(said(`${word}#disk # full`).down, `${word}: disk # full`);
    assertEquals(said(`${word} 10%`), { ...NO_WISH, down: word, percent: 10 });
  }
});

Deno.test("heed() what a line does not speak of stays, and what nobody knows changes nothing", () => {
  assertEquals(said("drain 50%", "up"), { ...NO_WISH, admin: "drain", percent: 50 });
  assertEquals(said("down", "50%"), { ...NO_WISH, down: "down", percent: 50 });
  assertEquals(said("drain down 50% maxconn:3", "ready up 100% maxconn:0"), NO_WISH);
  assertEquals(said("", "hello 5 % -1% maxconn: 5% 1.5%"), { ...NO_WISH, percent: 5 });
  assertEquals(said("99999999% maxconn:999999999"), { ...NO_WISH, percent: 25_600, limit: 1_000_000 });
});

Deno.test("wishWords() says it in a few words", () => {
  assertEquals(wishWords(NO_WISH), "");
  assertEquals(
    wishWords(said("maint 5% maxconn:3 down#full")),
    "down: full, maint, 5% of its weight, at most 3 at a time",
  );
});

Deno.test("AGENT says its text and takes one line, however it comes", () => {
  const talk = (send: string) => {
    const target = { host: "", port: 1, secure: false, http2: false, datagrams: false, random: 0 };
    const made = AGENT.talk!({ send } as never, target);
    if (typeof made === "string") throw new Error(made);
    return made;
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(talk("").begin(), {});
  assertEquals(talk("hi\n").begin(), { send: bytes("hi\n") });
  const long = talk("").receive(bytes(`up #${"x".repeat(400)}\n`)).verdict;
  assertEquals(long, { ok: true, reason: `up #${"x".repeat(400)}` });
  for (const end of ["\n", "\r\n", "\r", "\nmore"]) {
    const one = talk("");
    assertEquals(one.receive(bytes("up ")), {});
    assertEquals(one.receive(bytes(`75%${end}`)).verdict, { ok: true, reason: "up 75%" });
  }
  const left = talk("");
  left.receive(bytes("drain"));
  assertEquals(left.end(), { ok: true, reason: "drain" });
  assertEquals(talk("").end().ok, false);
  assertEquals(
    talk("").receive(bytes("x".repeat(513))).verdict?.reason,
    "the agent's line is longer than 512 bytes",
  );
});

const ASKED: AgentSnapshot = { ...checkOf({}), type: "agent", settings: { send: "" }, host: "", port: 9 };
const agreed = (servers: ServerSnapshot[], some: Partial<PoolSnapshot> = {}) =>
  pool(servers, { agent: ASKED, ...some });

/** Where a server stands: its state, what it gets of its weight, what it may get, and how much at a time. */
function stand(world: World, slot = 1): unknown[] {
  const one = world.monitor.status().find((one) => one.slot === slot)!;
  return [one.state, one.weight256, world.admins.get(slot), world.limits.get(slot)];
}

Deno.test("update() an agent beside the check: weight, admin state, limit and health", async () => {
  const world = new World();
  world.says.set("s1", "up 50% maxconn:7");
  world.monitor.update([agreed([server(1, { weight: 4 })])]);
  assertEquals(stand(world), ["unknown", 1024, "ready", 0]);
  await world.pass(1100);
  assertEquals(stand(world), ["up", 512, "ready", 7]);
  assertEquals(world.agents, ["app/s1 50% of its weight, at most 7 at a time"]);
  world.says.set("s1", "drain");
  await world.pass(2300);
  assertEquals(stand(world), ["up", 512, "drain", 7]);
  world.says.set("s1", "ready 100% maxconn:0 stopped#patching");
  await world.pass(2300);
  assertEquals(stand(world), ["down", 1024, "ready", 0]);
  assertEquals(world.monitor.status()[0]?.reason, "the agent says stopped: patching");
  assertEquals(world.transitions.at(-1)?.reason, "the agent says stopped: patching");
  world.says.set("s1", "up");
  await world.pass(2300);
  assertEquals(stand(world), ["up", 1024, "ready", 0]);
  assertEquals(world.agents.at(-1), "app/s1 ");
  await world.monitor.close();
});

Deno.test("update() an agent that is not heard changes nothing, and the status says so", async () => {
  const world = new World();
  world.says.set("s1", "down");
  world.monitor.update([agreed([server(1)], { check: null })]);
  await world.pass(1100);
  assertEquals(stand(world)[0], "down");
  world.says.delete("s1");
  await world.pass(5000);
  assertEquals(stand(world)[0], "down");
  assertEquals(
    world.monitor.status()[0]?.reason,
    "the agent says down; the agent is not heard: connection refused",
  );
  await world.monitor.close();
});

Deno.test("update() up of the agent does not outdo the check, nor ready the operator", async () => {
  const world = new World();
  world.dead.add("s1");
  world.says.set("s1", "up ready");
  world.says.set("s2", "drain");
  world.monitor.update([agreed([server(1, { state: "drain" }), server(2, { state: "maint" })])]);
  await world.pass(1100);
  assertEquals([stand(world), stand(world, 2)], [["down", 256, "drain", 0], ["unchecked", 256, "maint", 0]]);
  world.monitor.update([agreed([server(1), server(2)])]);
  assertEquals([world.admins.get(1), world.admins.get(2)], ["ready", "drain"]);
  await world.monitor.close();
});

Deno.test("update() without its agent a server is as configured; a reload keeps what an agent said", async () => {
  const world = new World();
  world.says.set("s1", "maint 10%");
  world.monitor.update([agreed([server(1)], { check: null })]);
  await world.pass(1100);
  world.says.clear();
  world.monitor.update([agreed([server(1, { weight: 2 })], { check: null })]);
  assertEquals(stand(world), ["unchecked", 52, "maint", 0]);
  world.monitor.update([pool([server(1)], { check: null })]);
  assertEquals(stand(world), ["unchecked", 256, "ready", 0]);
  await world.monitor.close();
});

Deno.test("recall() goes on with what agents have said to another process", async () => {
  const [first, second] = [new World(), new World()];
  first.says.set("s1", "drain 50% maxconn:3 down#x");
  first.monitor.update([agreed([server(1)])]);
  await first.pass(1100);
  second.monitor.update([agreed([server(1)])]);
  second.monitor.recall(JSON.parse(JSON.stringify(first.monitor.remember())));
  assertEquals(stand(second), ["down", 128, "drain", 3]);
  assertEquals([second.agents, second.transitions], [[], []]);
  await first.monitor.close();
  await second.monitor.close();
});
