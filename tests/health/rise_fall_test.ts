/** Invariant of the property: the state is what a plain reading of the last results says. */
import fc from "fast-check";
import { assertEquals } from "../assert.ts";
import { type ProbedState, RiseFall } from "../../mod/health/rise_fall.ts";

const good = { ok: true, reason: "status 200" };
const bad = { ok: false, reason: "connection refused" };

Deno.test("RiseFall() a server nobody has probed is unknown and not on its way anywhere", () => {
  const server = new RiseFall({ rise: 2, fall: 3 });
  assertEquals([server.state, server.changing, server.reason], ["unknown", false, "not probed yet"]);
});

Deno.test("RiseFall() the first result alone decides, either way", () => {
  const dead = new RiseFall({ rise: 2, fall: 3 });
  assertEquals(dead.handle(bad), {
    from: "unknown",
    to: "down",
    reason: "the first probe failed: connection refused",
  });
  const alive = new RiseFall({ rise: 2, fall: 3 });
  assertEquals(alive.handle(good)?.to, "up");
});

Deno.test("RiseFall() the reason of a fall says how many probes failed and why", () => {
  const server = new RiseFall({ rise: 2, fall: 3 });
  server.handle(good);
  assertEquals(server.handle(bad), null);
  assertEquals(server.reason, "1 of 3 probes failed: connection refused");
  assertEquals(server.handle(bad), null);
  assertEquals(server.handle(bad), {
    from: "up",
    to: "down",
    reason: "3 of 3 probes failed: connection refused",
  });
});

Deno.test("RiseFall() is changing only while results speak against the state", () => {
  const server = new RiseFall({ rise: 2, fall: 2 });
  const seen = [good, bad, good, bad, bad, good, good].map((result) => {
    server.handle(result);
    return `${server.state}${server.changing ? " changing" : ""}`;
  });
  assertEquals(seen, ["up", "up changing", "up", "up changing", "down", "down changing", "up"]);
});

Deno.test("configure() keeps the state and the results counted so far", () => {
  const server = new RiseFall({ rise: 2, fall: 5 });
  server.handle(good);
  server.handle(bad);
  server.configure({ rise: 2, fall: 2 });
  assertEquals(server.handle(bad)?.reason, "2 of 2 probes failed: connection refused");
});

/** The specification, read off the whole history. */
function expected(history: readonly boolean[], rise: number, fall: number): ProbedState {
  let state: ProbedState = "unknown";
  for (let end = 1; end <= history.length; end++) {
    const last = (count: number, ok: boolean) =>
      end >= count && history.slice(end - count, end).every((result) => result === ok);
    if (end === 1) state = history[0] ? "up" : "down";
    else if (state === "up" && last(fall, false)) state = "down";
    else if (state === "down" && last(rise, true)) state = "up";
  }
  return state;
}

Deno.test("handle() agrees with the history of results, whatever it is", () => {
  const runs = fc.array(fc.boolean(), { maxLength: 40 });
  const count = fc.integer({ min: 1, max: 5 });
  fc.assert(fc.property(runs, count, count, (history, rise, fall) => {
    const server = new RiseFall({ rise, fall });
    history.forEach((ok, index) => {
      const before = server.state;
      const change = server.handle(ok ? good : bad);
      assertEquals(server.state, expected(history.slice(0, index + 1), rise, fall));
      assertEquals(change !== null, before !== server.state);
    });
  }));
});

Deno.test("RiseFall() believes the first success where there is no other server", () => {
  const server = new RiseFall({ rise: 3, fall: 1 });
  server.handle({ ok: false, reason: "refused" });
  assertEquals(server.handle({ ok: true, reason: "fine" }), null);
  assertEquals(server.handle({ ok: true, reason: "fine" }, true)?.to, "up");
  assertEquals(server.handle({ ok: false, reason: "refused" }, true)?.to, "down");
});
