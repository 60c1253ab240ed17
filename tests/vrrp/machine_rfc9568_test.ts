/**
 * Every requirement of RFC 9568 sections 5 to 8 that concerns the machine, in both directions.
 *
 * | section | requirement                                                        | tests (+ it does, − it does not otherwise) |
 * | ------- | ------------------------------------------------------------------ | ------------------------------------------ |
 * | 5.2.4   | the owner's priority MUST be 255                                    | 5.2.4 + −                                  |
 * | 5.2.4   | backups MUST use 1–254                                              | 5.2.4 + −, also weights                    |
 * | 5.2.4   | 0: the Active has stopped participating                             | 6.4.2 priority 0 + −, 6.4.3 shutdown + −   |
 * | 5.2.5   | an advert with count 0 MUST be ignored                              | 5.2.5 + −                                  |
 * | 6.1     | Skew_Time and Active_Down_Interval                                  | timing_test.ts, 6.1 + −                    |
 * | 6.1     | Preempt_Mode; the owner always preempts                             | 6.1 preempt + −, 6.1 owner + −             |
 * | 6.4.1   | start: the owner becomes Active, every other Backup                 | 6.4.1 + −                                  |
 * | 6.4.2   | a Backup MUST NOT answer for, nor accept for, the addresses         | 6.4.2 addresses + −                        |
 * | 6.4.2   | shutdown: cancel the timer, Initialize                              | 6.4.2 shutdown + −                         |
 * | 6.4.2   | Active_Down_Timer: advert, announce, Adver_Timer, Active            | 6.4.2 timer + −                            |
 * | 6.4.2   | priority 0: Active_Down_Timer is Skew_Time                          | 6.4.2 priority 0 + −                       |
 * | 6.4.2   | no preempt, or greater or equal: adopt the interval, restart timer  | 6.4.2 follow + −                           |
 * | 6.4.2   | else discard the advert                                             | 6.4.2 discard + −                          |
 * | 6.4.3   | an Active MUST answer for the addresses                             | 6.4.2 addresses −                          |
 * | 6.4.3   | shutdown: priority 0, Initialize                                    | 6.4.3 shutdown + −                         |
 * | 6.4.3   | Adver_Timer: advert, restart                                        | 6.4.3 timer + −                            |
 * | 6.4.3   | priority 0: advert, restart Adver_Timer                             | 6.4.3 priority 0 + −                       |
 * | 6.4.3   | greater, or equal and a greater address: Backup, adopt the interval | 6.4.3 wins + −, 6.4.3 tie + −              |
 * | 6.4.3   | else discard and send an advert at once                             | 6.4.3 loses + −                            |
 * | 7.1     | an interval of zero MUST be discarded                               | 7.1 + −                                    |
 * | 8.1.2   | gratuitous ARP MUST wait for the address                            | 8.1.2 + −                                  |
 *
 * Of the wire (5.1, 5.2.1–5.2.3, 5.2.6–5.2.9, the rest of 7) are the packet's tests. Not ours: forwarding, redirects,
 * router advertisements and the virtual MAC address (6.4.2, 6.4.3, 7.2–7.4, 8.1.1, 8.2, 8.4), as Tandem is no router.
 */
import { activeDownMs, skewMs } from "../../vrrp/timing.ts";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";
import {
  active,
  advert,
  Driver,
  GREATER,
  health,
  INTERVAL_MS,
  LOCAL,
  LOWER,
  short,
  started,
} from "./machine_driver.ts";

const DOWN_MS = activeDownMs(3, 100, INTERVAL_MS);
const SKEW_MS = skewMs(3, 100, INTERVAL_MS);
const TAKES_OVER = ["advert 100", "add", "announce 5", "backup->active"];

Deno.test("RFC 9568 5.2.4 + the owner's priority is 255, whatever weights say", () => {
  const owner = active({ priority: 255 });
  owner.give(health(100, -50));
  assertEquals(owner.machine.priority, 255);
  assert(short(owner.pass(INTERVAL_MS)).includes("advert 255"));
});

Deno.test("RFC 9568 5.2.4 − weights take a backup neither to 255 nor to 0", () => {
  for (const [change, priority] of [[500, 254], [154, 254], [-99, 1], [-500, 1]] as const) {
    const driver = active();
    assertEquals(short(driver.give(health(100, change))), [`advert ${priority}`]);
    assertEquals(driver.machine.priority, priority);
  }
});

Deno.test("RFC 9568 5.2.5 + an advert with a count of 0 is ignored", () => {
  const backup = started();
  backup.pass(500);
  const before = backup.machine.deadline();
  assertEquals(backup.give(advert(200, { count: 0 })), []);
  assertEquals(backup.machine.deadline(), before);
  const holder = active();
  assertEquals(holder.give(advert(200, { count: 0 })), []);
  assertEquals(holder.machine.state, "active");
});

Deno.test("RFC 9568 5.2.5 − an advert whose count differs from ours is heeded: adding an address splits nothing", () => {
  const backup = started();
  backup.pass(500);
  backup.give(advert(200, { count: 7 }));
  assertEquals(backup.leftMs, DOWN_MS);
});

Deno.test("RFC 9568 6.1 + Active_Down_Interval is three intervals and the skew, of the Active's interval", () => {
  const backup = started();
  assertAlmostEquals(backup.leftMs, 3 * INTERVAL_MS + 156 / 256 * INTERVAL_MS);
  backup.give(advert(200, { intervalMs: 30 }));
  assertAlmostEquals(backup.leftMs, 90 + 156 / 256 * 30);
});

Deno.test("RFC 9568 6.1 − the interval of an advert that is discarded changes nothing", () => {
  const backup = started();
  backup.give(advert(50, { intervalMs: 10 }));
  assertEquals(backup.leftMs, DOWN_MS);
});

Deno.test("RFC 9568 6.1 + with Preempt_Mode a backup takes over from a living Active of lower priority", () => {
  const backup = started({ preempt: true });
  const actions = backup.hear(advert(50), 4 * INTERVAL_MS);
  assertEquals(short(actions), TAKES_OVER);
});

Deno.test("RFC 9568 6.1 − without Preempt_Mode it never does", () => {
  const backup = started({ preempt: false });
  assertEquals(backup.hear(advert(50), 100 * INTERVAL_MS), []);
  assertEquals(backup.machine.state, "backup");
});

Deno.test("RFC 9568 6.1 + the owner preempts whatever Preempt_Mode says", () => {
  for (const preempt of [true, false, 60_000]) {
    const owner = started({ priority: 255, preempt });
    owner.give({ kind: "linkDown" }, { kind: "linkUp" });
    assertEquals(owner.machine.state, "backup");
    owner.hear(advert(254), 4 * INTERVAL_MS);
    assertEquals(owner.machine.state, "active");
  }
});

Deno.test("RFC 9568 6.1 − priority 254 is no owner: it waits for its preempt delay", () => {
  const backup = started({ priority: 254, preempt: 60_000 });
  backup.hear(advert(253), 60 * INTERVAL_MS);
  assertEquals(backup.machine.state, "backup");
});

Deno.test("RFC 9568 6.4.1 + on start the owner sends an advert, announces and becomes Active", () => {
  const owner = new Driver({ priority: 255 });
  assertEquals(short(owner.give({ kind: "start" })), [
    "advert 255",
    "add",
    "announce 5",
    "initialize->active",
  ]);
  assertEquals(owner.leftMs, INTERVAL_MS);
});

Deno.test("RFC 9568 6.4.1 − on start any other node becomes Backup, sends nothing, and sets its timer", () => {
  for (const priority of [1, 100, 254]) {
    const node = new Driver({ priority });
    assertEquals(short(node.give({ kind: "start" })), ["remove", "initialize->backup"]);
    assertAlmostEquals(node.leftMs, activeDownMs(3, priority, INTERVAL_MS));
  }
});

Deno.test("RFC 9568 6.4.2 + a Backup has no address: nothing in it adds or announces one", () => {
  const backup = started({ preempt: false });
  const actions = [
    ...backup.hear(advert(50), 70 * INTERVAL_MS),
    ...backup.give({ kind: "addressLost" }, health(100), { kind: "handOver", reason: "test" }),
    ...backup.give({ kind: "stalled", ms: 9000 }, advert(0), advert(200)),
  ];
  assertEquals(short(actions), []);
});

Deno.test("RFC 9568 6.4.2 − an Active that becomes Backup removes them, one that stays does not (6.4.3)", () => {
  assert(short(active().give(advert(200))).includes("remove"));
  assert(short(active().give({ kind: "stalled", ms: 60_000 })).includes("remove"));
  const stays = active();
  assert(!short([...stays.give(advert(50)), ...stays.pass(10 * INTERVAL_MS)]).includes("remove"));
});

Deno.test("RFC 9568 6.4.2 + on shutdown a Backup cancels its timer and goes to Initialize, silently", () => {
  const backup = started();
  assertEquals(short(backup.give({ kind: "stop" })), ["backup->initialize"]);
  assertEquals(backup.machine.deadline(), Infinity);
  assertEquals(backup.pass(60 * INTERVAL_MS), []);
});

Deno.test("RFC 9568 6.4.2 − without a shutdown the timer stays set and fires", () => {
  assertEquals(short(started().pass(DOWN_MS)), TAKES_OVER);
});

Deno.test("RFC 9568 6.4.2 + when Active_Down_Timer fires: advert, address, announcements, Adver_Timer, Active", () => {
  const backup = started();
  backup.give(advert(200));
  assertEquals(short(backup.pass(DOWN_MS)), TAKES_OVER);
  assertEquals(backup.leftMs, INTERVAL_MS);
});

Deno.test("RFC 9568 6.4.2 − not a moment before, and not by a tick that comes too early", () => {
  const backup = started();
  backup.give(advert(200));
  backup.now += DOWN_MS - 0.001;
  assertEquals(backup.give({ kind: "tick" }, { kind: "tick" }), []);
  assertEquals(backup.machine.state, "backup");
});

Deno.test("RFC 9568 6.4.2 + on priority 0 Active_Down_Timer is the skew", () => {
  const backup = started();
  backup.give(advert(200));
  backup.pass(10);
  backup.give(advert(0));
  assertAlmostEquals(backup.leftMs, SKEW_MS);
  assertEquals(short(backup.pass(SKEW_MS)), TAKES_OVER);
});

Deno.test("RFC 9568 6.4.2 − on priority 1 it is not, and an Active that comes back cancels it", () => {
  const backup = started({ preempt: false });
  backup.give(advert(1));
  assertAlmostEquals(backup.leftMs, DOWN_MS);
  backup.give(advert(0));
  backup.pass(SKEW_MS / 2);
  backup.give(advert(200));
  assertAlmostEquals(backup.leftMs, DOWN_MS);
});

Deno.test("RFC 9568 6.4.2 + a greater or equal priority, or no preempt: adopt the interval and restart the timer", () => {
  for (const [priority, preempt] of [[200, true], [100, true], [50, false]] as const) {
    const backup = started({ preempt });
    backup.pass(1500);
    backup.give(advert(priority, { intervalMs: 2000 }));
    assertAlmostEquals(backup.leftMs, activeDownMs(3, 100, 2000));
  }
});

Deno.test("RFC 9568 6.4.2 − with preempt and a lower priority neither happens", () => {
  const backup = started();
  backup.pass(1500);
  backup.give(advert(99, { intervalMs: 2000 }));
  assertAlmostEquals(backup.leftMs, DOWN_MS - 1500);
});

Deno.test("RFC 9568 6.4.2 + an advert to be preempted is discarded: however many come, the timer runs out", () => {
  const backup = started();
  const start = backup.now;
  while (backup.machine.state === "backup") {
    backup.give(advert(99));
    backup.pass(100);
    assert(backup.now - start <= DOWN_MS + 100);
  }
});

Deno.test("RFC 9568 6.4.2 − an equal one is not, even of a smaller address", () => {
  const backup = started();
  backup.hear(advert(100, { sender: LOWER }), 20 * INTERVAL_MS);
  assertEquals(backup.machine.state, "backup");
});

Deno.test("RFC 9568 6.4.3 + on shutdown an Active sends priority 0, cancels its timers and goes to Initialize", () => {
  const holder = active();
  assertEquals(short(holder.give({ kind: "stop" })), ["advert 0", "remove", "active->initialize"]);
  assertEquals(holder.machine.deadline(), Infinity);
  assertEquals(holder.pass(100 * INTERVAL_MS), []);
});

Deno.test("RFC 9568 6.4.3 − neither a Backup nor a node in fault sends priority 0 on shutdown", () => {
  assertEquals(short(started().give({ kind: "stop" })), ["backup->initialize"]);
  const faulty = started();
  faulty.give({ kind: "linkDown" });
  assertEquals(short(faulty.give({ kind: "stop" })), ["fault->initialize"]);
});

Deno.test("RFC 9568 6.4.3 + when Adver_Timer fires an Active sends an advert and restarts it", () => {
  const holder = active();
  for (let round = 0; round < 4; round++) {
    assertEquals(short(holder.pass(INTERVAL_MS)), ["advert 100"]);
    assertEquals(holder.leftMs, INTERVAL_MS);
  }
});

Deno.test("RFC 9568 6.4.3 − no tick before that sends one", () => {
  const holder = active();
  holder.now += INTERVAL_MS - 0.001;
  assertEquals(holder.give({ kind: "tick" }, { kind: "tick" }), []);
});

Deno.test("RFC 9568 6.4.3 + on priority 0 an Active sends an advert and restarts Adver_Timer", () => {
  const holder = active();
  holder.pass(400);
  assertEquals(short(holder.give(advert(0)))[0], "advert 100");
  assertEquals(holder.leftMs, INTERVAL_MS);
  assertEquals(holder.machine.state, "active");
});

Deno.test("RFC 9568 6.4.3 − a Backup does not answer priority 0", () => {
  assertEquals(started().give(advert(0)), []);
});

Deno.test("RFC 9568 6.4.3 + a greater priority makes an Active a Backup of that interval", () => {
  const holder = active();
  assert(short(holder.give(advert(101, { sender: LOWER, intervalMs: 500 }))).includes("active->backup"));
  assertAlmostEquals(holder.leftMs, activeDownMs(3, 100, 500));
  assertEquals(holder.pass(1500), [], "Adver_Timer is cancelled");
});

Deno.test("RFC 9568 6.4.3 − the same priority with a smaller address, or a lower one, does not", () => {
  const holder = active();
  holder.give(advert(100, { sender: LOWER }), advert(99, { sender: GREATER }));
  assertEquals(holder.machine.state, "active");
});

Deno.test("RFC 9568 6.4.3 + of equal priorities the greater address wins, bytes compared as unsigned", () => {
  for (const [ours, theirs] of [[[10, 0, 0, 2], [10, 0, 0, 3]], [[127, 0, 0, 9], [128, 0, 0, 1]]]) {
    const holder = active({ localAddress: new Uint8Array(ours!) });
    holder.give(advert(100, { sender: new Uint8Array(theirs!) }));
    assertEquals(holder.machine.state, "backup");
  }
});

Deno.test("RFC 9568 6.4.3 − our own address is no rival: an advert that was reflected changes nothing", () => {
  const holder = active();
  assertEquals(holder.give(advert(100, { sender: LOCAL })), []);
  assertEquals(holder.machine.state, "active");
});

Deno.test("RFC 9568 6.4.3 + an advert that loses is discarded and answered at once", () => {
  const holder = active();
  holder.pass(300);
  assertEquals(short(holder.give(advert(50, { intervalMs: 10 }))), [
    "won",
    "advert 100",
    "add",
    "announce 5",
  ]);
  // The regular advert is not put off: the answer may get lost.
  assertEquals(holder.leftMs, INTERVAL_MS - 300);
});

Deno.test("RFC 9568 6.4.3 − a Backup answers no advert", () => {
  assertEquals(started().give(advert(50), advert(100), advert(200)), []);
});

Deno.test("RFC 9568 7.1 + an advert with an interval of zero is discarded", () => {
  const backup = started();
  backup.pass(500);
  const before = backup.machine.deadline();
  backup.give(advert(200, { intervalMs: 0 }));
  assertEquals(backup.machine.deadline(), before);
  assertEquals(active().give(advert(200, { intervalMs: 0 })), []);
});

Deno.test("RFC 9568 7.1 − one of the smallest interval is not", () => {
  const backup = started();
  const before = backup.machine.deadline();
  backup.give(advert(200, { intervalMs: 10 }));
  assertNotEquals(backup.machine.deadline(), before);
});

Deno.test("RFC 9568 8.1.2 + every announcement comes after the address was added", () => {
  for (const actions of [started().pass(DOWN_MS), new Driver({ priority: 255 }).give({ kind: "start" })]) {
    const names = short(actions);
    assert(names.indexOf("add") > 0 && names.indexOf("announce 5") > names.indexOf("add"));
  }
  const again = active();
  again.pass(500);
  assertEquals(short(again.give({ kind: "addressLost" })), ["add", "announce 5"]);
});

Deno.test("RFC 9568 8.1.2 − a node that is not Active announces nothing, however long it runs", () => {
  const node = started({ preempt: false });
  assertEquals(node.hear(advert(200), 200 * INTERVAL_MS), []);
  node.give({ kind: "linkDown" });
  assertEquals(node.pass(200 * INTERVAL_MS), []);
});
