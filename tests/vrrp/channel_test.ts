import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import { Channel, type Heard } from "../../vrrp/channel.ts";
import type { Key } from "../../vrrp/extension.ts";
import { hmacSha256 } from "../../vrrp/hmac_io.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const A = parseIp("10.0.0.1")!;
const B = parseIp("10.0.0.2")!;
const KEYS: Key[] = [{ id: 1, secret: new TextEncoder().encode("0123456789abcdef") }];
const ADVERT = {
  version: 3,
  vrid: 51,
  priority: 200,
  intervalMs: 100,
  addresses: [parseIp("10.0.0.50")!],
} as const;
const REPORT = { version: "1", uptimeMs: 5, maintenance: false, instances: [], pools: [], admin: [] };
const STANDING = { health: 100, configHash: 77n };
const MOMENT = { nowMs: 1000, clockMs: 1_700_000_000_000 };

let drawn = 0n;
const random64 = () => ++drawn;
const channel = (node: string, local = A, keys = KEYS) =>
  new Channel({ node, keys, local, hmac: hmacSha256, random64 }, 0);
const reason = (heard: Heard) => heard.ok ? "ok" : heard.reason;

Deno.test("hear() tells adverts from reports, and who sent them", () => {
  const [a, b] = [channel("a"), channel("b", B)];
  const heard = b.hear(a.advert(ADVERT, STANDING, MOMENT), A, MOMENT);
  assert(heard.ok && heard.kind === "advert");
  assertEquals(heard.advert, ADVERT);
  assertEquals(heard.sender, {
    node: "a",
    source: A,
    ...STANDING,
    keyId: 1,
    proof: "clock",
    clockOffsetMs: 0,
  });
  const report = b.hear(a.report(REPORT, STANDING, MOMENT), A, MOMENT);
  assert(report.ok && report.kind === "report");
  assertEquals(report.report, { ...REPORT, omitted: 0 });
  assertEquals(report.sender.proof, "known");
});

Deno.test("hear() drops a replay, a spoofed sender, our own and an unsigned datagram", () => {
  const [a, b] = [channel("a"), channel("b", B)];
  const datagram = a.advert(ADVERT, STANDING, MOMENT);
  assertEquals(reason(b.hear(datagram, B, MOMENT)), "signature");
  assertEquals(reason(b.hear(datagram, A, MOMENT)), "ok");
  assertEquals(reason(b.hear(datagram, A, MOMENT)), "replayed");
  assertEquals(reason(a.hear(datagram, A, MOMENT)), "own");
  assertEquals(reason(b.hear(channel("c", A, []).advert(ADVERT, STANDING, MOMENT), A, MOMENT)), "unsigned");
});

Deno.test("hear() of clocks hours apart: two datagrams each way, reports count as well as adverts", () => {
  const [a, b] = [channel("a"), channel("b", B)];
  const far = { ...MOMENT, clockMs: MOMENT.clockMs + 1e8 };
  assertEquals(reason(b.hear(a.advert(ADVERT, STANDING, MOMENT), A, far)), "unproved");
  assertEquals(reason(a.hear(b.report(REPORT, STANDING, far), B, MOMENT)), "ok");
  assertEquals(reason(b.hear(a.advert(ADVERT, STANDING, MOMENT), A, far)), "ok");
});

Deno.test("hear() an advert of the other family is malformed, and leaves no trace in what is fresh", () => {
  const a = channel("a");
  const v6 = channel("b", parseIp("fe80::2")!, []);
  const unsigned = channel("a", A, []);
  assertEquals(reason(v6.hear(unsigned.advert(ADVERT, STANDING, MOMENT), A, MOMENT)), "length");
  assertEquals(reason(v6.hear(unsigned.report(REPORT, STANDING, MOMENT), A, MOMENT)), "ok");
  assertThrows(
    () => a.advert({ ...ADVERT, addresses: Array(200).fill(parseIp("fd77::1")!) }, STANDING, MOMENT),
    RangeError,
  );
});

Deno.test("hear() fed at every length and with any change hears nothing but the true datagram", () => {
  const bytes = channel("a").advert(ADVERT, STANDING, MOMENT);
  for (let length = 0; length < bytes.length; length++) {
    assert(!channel("b", B).hear(bytes.subarray(0, length), A, MOMENT).ok, `${length}`);
  }
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (where, change, signed) => {
    const keys = signed ? KEYS : [];
    const changed = channel("a", A, keys).advert(ADVERT, STANDING, MOMENT);
    changed[where % changed.length]! ^= change;
    const heard = channel("b", B, keys).hear(changed, A, MOMENT);
    assert(!heard.ok || !signed);
  }));
});
