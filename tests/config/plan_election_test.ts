import { instanceEffect, type InstanceNow } from "../../mod/config/plan_election.ts";
import { assertEquals } from "../assert.ts";
import { good } from "./reading.ts";

const KEY = { id: 1, secret: "sixteen-characters" };
const NEXT = { id: 2, secret: "another-one-of-16" };
const BASE = {
  name: "edge",
  interface: "eth0",
  routerId: 51,
  addresses: ["192.0.2.1/24"],
  owners: ["lb1", "lb2"],
  keys: [KEY],
};
const PEER = { node: "lb2", silent: false, state: "backup", priority: 150, health: 100, maintenance: false };
/** lb1, which asks, is active; lb2 is ready. */
const ACTIVE: InstanceNow = {
  name: "edge",
  state: "active",
  owner: "lb1",
  health: 100,
  heldUntil: null,
  peers: [PEER],
};
const BACKUP: InstanceNow = {
  ...ACTIVE,
  state: "backup",
  owner: "lb2",
  peers: [{ ...PEER, state: "active" }],
};
const DEAF =
  "until the other nodes have the same, they and this one do not hear each other, and each takes the " +
  "addresses: change all at once (tandem reload --both), or put one in maintenance first";
const ANEW = "begins anew here: the addresses move to lb2 meanwhile";

async function instanceOf(fields: object | null) {
  if (fields === null) return undefined;
  const text = JSON.stringify({
    listeners: [{ name: "web", bind: ":80", routes: [{ respond: { status: 200 } }] }],
    nodes: { lb1: {}, lb2: {}, lb3: {} },
    vrrp: { instances: [fields] },
  });
  return (await good(text)).vrrp.instances[0]!;
}

/** The change from BASE and `before` to BASE and `after`; null: there is no such instance. */
async function effect(before: object | null, after: object | null, now?: InstanceNow): Promise<string> {
  const whole = (fields: object | null) => fields === null ? null : { ...BASE, ...fields };
  const [old, next] = [await instanceOf(whole(before)), await instanceOf(whole(after))];
  return instanceEffect(old, next, { node: "lb1", instances: now === undefined ? [] : [now] });
}

const unicast = { peers: ["10.0.0.2"] };
const prioritised = { owners: undefined, priority: 200 };
const v2 = { transport: "vrrp2", keys: [] };
const DEAFENING: [string, object, object, boolean][] = [
  ["another id", {}, { routerId: 52 }, true],
  ["another transport", {}, { transport: "vrrp3" }, true],
  ["another version", v2, { ...v2, transport: "vrrp3" }, true],
  ["another interface", {}, { interface: "eth1" }, true],
  ["another key", {}, { keys: [NEXT] }, false],
  ["the next key first, that nobody has yet", {}, { keys: [NEXT, KEY] }, false],
  ["no keys any more", {}, { keys: [] }, false],
  ["unicast instead of multicast", {}, unicast, false],
  ["another password", { ...v2, password: "one" }, { ...v2, password: "two" }, false],
  ["another interval of version 2", v2, { ...v2, advertInterval: "2s" }, false],
];
for (const [what, before, after, anew] of DEAFENING) {
  Deno.test(`instanceEffect() tells that nodes do not hear each other: ${what}`, async () => {
    assertEquals(await effect(before, after, ACTIVE), anew ? `${DEAF}; ${ANEW}` : DEAF);
    assertEquals(await effect(before, after, BACKUP), DEAF);
    assertEquals(await effect(before, after), DEAF);
  });
}

const SILENT: [string, object, object][] = [
  ["a key behind the first", {}, { keys: [KEY, NEXT] }],
  ["a key that all have comes first", { keys: [KEY, NEXT] }, { keys: [NEXT, KEY] }],
  ["the former key goes", { keys: [NEXT, KEY] }, { keys: [NEXT] }],
  ["an interval, which others take from the adverts", {}, { advertInterval: "2s" }],
  ["what is tracked", {}, { track: [{ listener: "web" }] }],
];
for (const [what, before, after] of SILENT) {
  Deno.test(`instanceEffect() tells nothing where nobody notices: ${what}`, async () => {
    assertEquals(await effect(before, after, ACTIVE), "");
  });
}

const TURNED = { owners: ["lb2", "lb1"] };
const STRANGE = { ...ACTIVE, peers: [{ ...PEER, state: "fault" }] };
const MOVES: [string, object, object, InstanceNow | undefined, string][] = [
  ["owners", {}, TURNED, ACTIVE, "the addresses move to lb2, once the nodes have the same"],
  ["owners, to us", TURNED, {}, BACKUP, "the addresses move to lb1, once the nodes have the same"],
  ["owners, to whom has them", TURNED, {}, ACTIVE, "the addresses stay on lb1"],
  ["a priority", prioritised, { ...prioritised, priority: 100 }, ACTIVE, "the addresses move to lb2"],
  ["an equal one", prioritised, { ...prioritised, priority: 150 }, ACTIVE, "the addresses may move"],
  [
    "preempt",
    { preempt: false },
    { preempt: true },
    BACKUP,
    "the addresses move to lb1, once the nodes have the same",
  ],
  [
    "preempt after a time",
    { preempt: false },
    { preempt: "30s" },
    BACKUP,
    "the addresses move to lb1 after 30 s, once the nodes have the same",
  ],
  [
    "owners without preempt",
    { preempt: false },
    { ...TURNED, preempt: false },
    ACTIVE,
    "the addresses stay on lb1 until it gives them up, as preempt is false",
  ],
  ["owners, and the other is in fault", {}, TURNED, STRANGE, "the addresses may move"],
  [
    "owners, and the other is not heard",
    {},
    TURNED,
    { ...ACTIVE, peers: [{ ...PEER, silent: true }] },
    "the addresses may move",
  ],
  ["owners, and one of them was never heard", {}, TURNED, { ...ACTIVE, peers: [] }, "the addresses may move"],
  ["owners, and nothing is known", {}, TURNED, undefined, "the addresses may move"],
];
for (const [what, before, after, now, told] of MOVES) {
  Deno.test(`instanceEffect() tells where the addresses go: ${what}`, async () => {
    assertEquals(await effect(before, after, now), told);
  });
}

const both = { addresses: ["192.0.2.1/24", "192.0.2.2/24"] };
const lost = { peers: ["10.0.0.2", "10.0.0.3"] };
const PARTS: [string, object | null, object | null, InstanceNow | undefined, string][] = [
  ["added here", {}, both, ACTIVE, "192.0.2.2 appears here"],
  ["added elsewhere", {}, both, BACKUP, "192.0.2.2 appears on lb2, once that has the same"],
  ["removed here", both, {}, ACTIVE, "192.0.2.2 goes, and connections to it end, here"],
  ["a new instance", null, {}, undefined, "takes part in the election of 192.0.2.1"],
  ["an instance less", {}, null, ACTIVE, "192.0.2.1 is given up here; the addresses move to lb2"],
  [
    "an instance less, and nobody else",
    {},
    null,
    STRANGE,
    "192.0.2.1 is given up here; no other node is known to be ready for the addresses",
  ],
  ["an owner no more", {}, { owners: ["lb2"] }, BACKUP, "192.0.2.1 is given up here"],
  ["not ours", { owners: ["lb2"] }, { owners: ["lb2", "lb3"] }, undefined, ""],
  [
    "a peer less",
    lost,
    unicast,
    ACTIVE,
    "10.0.0.3 is heard no more: if it still takes part, it takes the addresses too",
  ],
  [
    "keys beside VRRP itself",
    { transport: "vrrp3" },
    { transport: "vrrp3", keys: [NEXT] },
    ACTIVE,
    "until the other nodes have the same keys, reports are not read",
  ],
  ["a virtual MAC", { transport: "vrrp3" }, { transport: "vrrp3", virtualMac: true }, ACTIVE, ANEW],
];
for (const [what, before, after, now, told] of PARTS) {
  Deno.test(`instanceEffect() tells what becomes of addresses: ${what}`, async () => {
    assertEquals(await effect(before, after, now), told);
  });
}
