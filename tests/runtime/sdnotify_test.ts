/** Words are those of sd_notify(3). */
import { assertEquals } from "../assert.ts";
import { type ServiceFacts, ServiceVoice, watchdogMsOf } from "../../mod/runtime/sdnotify.ts";

const STARTING: ServiceFacts = {
  generation: null,
  reloading: false,
  refused: false,
  leaving: "no",
  leaveMs: 40_000,
  balancer: { state: "starting", lastDeath: null },
  well: false,
  instances: [],
};
const SERVING: ServiceFacts = {
  ...STARTING,
  generation: 1,
  balancer: { state: "running", lastDeath: null },
  well: true,
};

function voice(watchdogMs: number | null = null): ServiceVoice {
  return new ServiceVoice(watchdogMs, () => 7n);
}

Deno.test("ServiceVoice() says READY once a configuration is in force, and nothing twice", () => {
  const one = voice();
  assertEquals(one.tell(STARTING, 0), "STATUS=starting");
  assertEquals(one.tell(STARTING, 1), null);
  assertEquals(one.tell(SERVING, 2), "READY=1\nSTATUS=configuration 1");
  assertEquals(one.tell(SERVING, 3), null);
});

Deno.test("ServiceVoice() says RELOADING with its time, and READY also after a refusal", () => {
  const one = voice();
  one.tell(SERVING, 0);
  assertEquals(
    one.tell({ ...SERVING, reloading: true }, 1),
    "RELOADING=1\nMONOTONIC_USEC=7\nSTATUS=reloading, configuration 1",
  );
  assertEquals(one.tell({ ...SERVING, generation: 2 }, 2), "READY=1\nSTATUS=configuration 2");
  one.tell({ ...SERVING, generation: 2, reloading: true }, 3);
  assertEquals(
    one.tell({ ...SERVING, generation: 2, refused: true }, 4),
    "READY=1\nSTATUS=configuration 2, the last reload was refused: see the log",
  );
});

Deno.test("ServiceVoice() says STOPPING with the time that it may take", () => {
  const one = voice();
  one.tell(SERVING, 0);
  assertEquals(
    one.tell({ ...SERVING, leaving: "handing over" }, 1),
    "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000\nSTATUS=handing over",
  );
  assertEquals(one.tell({ ...SERVING, leaving: "draining" }, 2), "STATUS=draining");
});

Deno.test("ServiceVoice() shows the election and a balancer that is down, on one line", () => {
  const one = voice();
  one.tell(SERVING, 0);
  const balancer = { state: "waiting", lastDeath: "killed by\nSIGKILL" };
  const instances = [{ name: "edge", state: "active" }];
  assertEquals(
    one.tell({ ...SERVING, balancer, instances }, 1),
    "STATUS=the balancer is waiting (killed by SIGKILL), configuration 1, edge active",
  );
});

Deno.test("ServiceVoice() feeds the watchdog within half its time while all is well, and at once again after", () => {
  const one = voice(10_000);
  one.tell(SERVING, 0);
  const fed: number[] = [];
  for (let now = 200; now <= 30_000; now += 200) {
    const well = now < 12_000 || now >= 20_000;
    if (one.tell({ ...SERVING, well }, now)?.includes("WATCHDOG=1")) fed.push(now);
  }
  assertEquals(fed, [4800, 9600, 20_000, 24_800, 29_600]);
});

Deno.test("ServiceVoice() without a watchdog never speaks of one", () => {
  const one = voice();
  one.tell(SERVING, 0);
  assertEquals(one.tell(SERVING, 1e9), null);
});

Deno.test("watchdogMsOf() is for the process that is named, and for nobody where it is no number", () => {
  const of = (env: Record<string, string>) => watchdogMsOf((name) => env[name], 42);
  assertEquals(of({ WATCHDOG_USEC: "30000000" }), 30_000);
  assertEquals(of({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "42" }), 30_000);
  assertEquals(of({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "43" }), null);
  for (const usec of ["", "0", "-1", "soon", "1.5"]) assertEquals(of({ WATCHDOG_USEC: usec }), null, usec);
  assertEquals(of({}), null);
});
