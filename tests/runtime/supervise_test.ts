import fc from "fast-check";
import {
  type Action,
  DRAIN_GRACE_MS,
  GIVE_UP_DEATHS,
  HUNG_MS,
  type Input,
  MAX_BAD_LINES,
  SAME_STOP_MS,
  STARTUP_MS,
  type State,
  Supervisor,
  TABLE,
} from "../../mod/runtime/supervise.ts";
import { FIRST_MS, HEALTHY_MS, LONGEST_MS } from "../../mod/runtime/backoff.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const DRAIN_MS = 30_000;
const died: Input = { kind: "exited", reason: "code 1", code: 1 };

function kinds(actions: readonly Action[]): string[] {
  return actions.filter((one) => one.kind !== "log").map((one) => one.kind);
}

function running(now = 0): Supervisor {
  const supervisor = new Supervisor({ drainMs: DRAIN_MS });
  assertEquals(kinds(supervisor.handle({ kind: "start" }, now)), ["spawn"]);
  assertEquals(kinds(supervisor.handle({ kind: "ready" }, now)), []);
  return supervisor;
}

Deno.test("Supervisor() kills a balancer without a heartbeat for HUNG_MS, not a millisecond earlier", () => {
  const supervisor = running();
  supervisor.handle({ kind: "heartbeat" }, 1000);
  assertEquals(supervisor.deadline(), 1000 + HUNG_MS);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, 1000 + HUNG_MS - 1)), []);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, 1000 + HUNG_MS)), ["kill"]);
  assertEquals(supervisor.state, "killing");
  supervisor.handle(died, 1000 + HUNG_MS + 5);
  assert(supervisor.lastDeath?.includes("no heartbeat"));
});

Deno.test("Supervisor() gives a starting balancer STARTUP_MS until its first heartbeat", () => {
  const supervisor = new Supervisor({ drainMs: DRAIN_MS });
  supervisor.handle({ kind: "start" }, 0);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, STARTUP_MS - 1)), []);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, STARTUP_MS)), ["kill"]);
});

Deno.test("Supervisor() does not blame the balancer when the keeper itself stood still", () => {
  const supervisor = running();
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, 60_000)), []);
  assertEquals(supervisor.state, "running");
  assertEquals(supervisor.deadline(), 60_000 + HUNG_MS);
});

Deno.test("Supervisor() restarts with a wait that doubles from 100 ms to 10 s", () => {
  const supervisor = running();
  const waits: number[] = [];
  let now = 0;
  for (let death = 0; death < 10; death++) {
    assertEquals(kinds(supervisor.handle(died, now)), []);
    const due = supervisor.deadline() ?? fail();
    waits.push(due - now);
    assertEquals(kinds(supervisor.handle({ kind: "tick" }, due - 1)), []);
    assertEquals(kinds(supervisor.handle({ kind: "tick" }, due)), ["spawn"]);
    now = due;
  }
  assertEquals(waits, [FIRST_MS, 200, 400, 800, 1600, 3200, 6400, LONGEST_MS, LONGEST_MS, LONGEST_MS]);
  assertEquals(supervisor.restarts, 10);
});

function fail(): never {
  throw new Error("no deadline");
}

Deno.test("Supervisor() forgets the back-off after 30 s of health", () => {
  const supervisor = running();
  supervisor.handle(died, 0);
  supervisor.handle({ kind: "tick" }, 100);
  supervisor.handle(died, 100 + HEALTHY_MS - 1);
  assertEquals(supervisor.deadline(), 100 + HEALTHY_MS - 1 + 200);
  supervisor.handle({ kind: "tick" }, 50_000);
  supervisor.handle(died, 50_000 + HEALTHY_MS);
  assertEquals(supervisor.deadline(), 50_000 + HEALTHY_MS + FIRST_MS);
});

Deno.test("Supervisor() drains at the first stop and exits with 0 when the balancer did", () => {
  const supervisor = running();
  assertEquals(supervisor.handle({ kind: "stop" }, 10).at(-1), { kind: "drain", deadlineMs: DRAIN_MS });
  assertEquals(supervisor.handle({ kind: "exited", reason: "code 0", code: 0 }, 20), [{
    kind: "exit",
    code: 0,
  }]);
});

Deno.test("Supervisor() ends at once at the second stop", () => {
  const supervisor = running();
  supervisor.handle({ kind: "stop" }, 10);
  assertEquals(kinds(supervisor.handle({ kind: "stop" }, 10 + SAME_STOP_MS)), ["kill", "exit"]);
  assertEquals(supervisor.state, "stopped");
});

Deno.test("Supervisor() takes two signals so close that they are one stop for one", () => {
  const supervisor = running();
  supervisor.handle({ kind: "stop" }, 10);
  assertEquals(supervisor.handle({ kind: "stop" }, 10), []);
  assertEquals(supervisor.handle({ kind: "stop" }, 9 + SAME_STOP_MS), []);
  assertEquals(supervisor.state, "draining");
});

Deno.test("Supervisor() ends at once at a stop while it drains for another reason", () => {
  const supervisor = new Supervisor({ drainMs: DRAIN_MS });
  supervisor.handle({ kind: "start" }, 0);
  supervisor.handle({ kind: "rejected" }, 1);
  assertEquals(kinds(supervisor.handle({ kind: "stop" }, 2)), ["kill", "exit"]);
});

Deno.test("Supervisor() drains as long as the configuration in force says", () => {
  const supervisor = running();
  supervisor.drainMs = 7;
  assertEquals(supervisor.handle({ kind: "stop" }, 0).at(-1), { kind: "drain", deadlineMs: 7 });
  assertEquals(supervisor.deadline(), 7 + DRAIN_GRACE_MS);
});

Deno.test("Supervisor() kills a balancer that outlives its drain and exits with 1", () => {
  const supervisor = running();
  supervisor.handle({ kind: "stop" }, 0);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, DRAIN_MS + DRAIN_GRACE_MS - 1)), []);
  assertEquals(kinds(supervisor.handle({ kind: "tick" }, DRAIN_MS + DRAIN_GRACE_MS)), ["kill"]);
  const last = supervisor.handle({ kind: "exited", reason: "SIGKILL", code: 137 }, 33_000);
  assertEquals(last.at(-1), { kind: "exit", code: 1 });
});

Deno.test("Supervisor() exits with 1 when the very first configuration is refused", () => {
  const supervisor = new Supervisor({ drainMs: DRAIN_MS });
  supervisor.handle({ kind: "start" }, 0);
  assertEquals(supervisor.handle({ kind: "rejected" }, 5).at(-1), { kind: "drain", deadlineMs: 0 });
  const last = supervisor.handle({ kind: "exited", reason: "code 0", code: 0 }, 9);
  assertEquals(last.at(-1), { kind: "exit", code: 1 });
});

Deno.test("Supervisor() runs on when a reload is refused", () => {
  const supervisor = running();
  assertEquals(kinds(supervisor.handle({ kind: "rejected" }, 5)), []);
  assertEquals(supervisor.state, "running");
});

Deno.test("Supervisor() tries again when a restarted balancer refuses what ran before", () => {
  const supervisor = running();
  supervisor.handle(died, 0);
  supervisor.handle({ kind: "tick" }, 100);
  assertEquals(kinds(supervisor.handle({ kind: "rejected" }, 200)), ["kill"]);
  supervisor.handle(died, 210);
  assertEquals(supervisor.state, "waiting");
});

Deno.test("Supervisor() gives up a balancer that never was ready after GIVE_UP_DEATHS", () => {
  const supervisor = new Supervisor({ drainMs: DRAIN_MS });
  supervisor.handle({ kind: "start" }, 0);
  let now = 0;
  for (let death = 1; death < GIVE_UP_DEATHS; death++) {
    assertEquals(kinds(supervisor.handle(died, now)), []);
    now = supervisor.deadline() ?? fail();
    supervisor.handle({ kind: "tick" }, now);
  }
  assertEquals(supervisor.handle(died, now).at(-1), { kind: "exit", code: 1 });
});

Deno.test("Supervisor() restarts a balancer that talks nonsense, counted anew in each life", () => {
  const supervisor = running();
  for (let line = 1; line < MAX_BAD_LINES; line++) {
    assertEquals(kinds(supervisor.handle({ kind: "badLine" }, 1)), []);
  }
  assertEquals(kinds(supervisor.handle({ kind: "badLine" }, 1)), ["kill"]);
  supervisor.handle(died, 2);
  supervisor.handle({ kind: "tick" }, 102);
  assertEquals(kinds(supervisor.handle({ kind: "badLine" }, 103)), []);
});

Deno.test("Supervisor() throws on an input that its state cannot get", () => {
  assertThrows(
    () => new Supervisor({ drainMs: 0 }).handle({ kind: "heartbeat" }, 0),
    Error,
    "heartbeat while idle",
  );
});

Deno.test("Supervisor() never has two balancers, never kills none, and ends after a stop", () => {
  const inputs = fc.array(
    fc.record({ kind: fc.constantFrom(...inputKinds()), after: fc.nat(20_000) }),
    { maxLength: 200 },
  );
  fc.assert(fc.property(inputs, (script) => {
    const supervisor = new Supervisor({ drainMs: 1000 });
    let now = 0;
    let alive = false;
    let exited = 0;
    const take = (input: Input) => {
      for (const action of supervisor.handle(input, now)) {
        if (action.kind === "spawn") {
          assert(!alive);
          alive = true;
        }
        if (action.kind === "kill" || action.kind === "drain") assert(alive);
        if (action.kind === "exit") exited++;
      }
    };
    take({ kind: "start" });
    for (const { kind, after } of script) {
      now += after;
      if (TABLE[supervisor.state][kind] === undefined) continue;
      if (kind === "exited") {
        if (!alive) continue;
        alive = false;
        take({ kind, reason: "code 1", code: 1 });
      } else take({ kind });
      assert(exited <= 1);
    }
    for (let step = 0; step < 4 && exited === 0; step++) {
      now += SAME_STOP_MS;
      if (TABLE[supervisor.state].stop !== undefined) take({ kind: "stop" });
    }
    assertEquals(exited, 1);
    assertEquals(supervisor.state, "stopped" as State);
    assertEquals(supervisor.deadline(), null);
  }));
});

function inputKinds(): Input["kind"][] {
  return ["heartbeat", "ready", "rejected", "badLine", "exited", "stop", "tick"];
}
