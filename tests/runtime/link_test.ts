// Invariant: whatever the bytes and however they are cut, the decoder neither throws nor holds more than one line.
import fc from "fast-check";
import {
  type Decoded,
  encodeLine,
  LINE_BYTES,
  LineDecoder,
  POOLS_IN_MESSAGE,
  rejectedMessage,
  TO_BALANCER,
  TO_KEEPER,
  type ToBalancer,
  type ToKeeper,
} from "../../mod/runtime/link.ts";
import { MAX_PARTS, PART_UNITS } from "../../mod/runtime/parts.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const MESSAGES: ToKeeper[] = [
  { kind: "ready", generation: 3 },
  { kind: "rejected", generation: 4, problems: ["listener `web`: address in use"] },
  { kind: "heartbeat", sequence: 1, lagMs: 0.5 },
  { kind: "health", pools: [{ pool: "äpp", healthy: 1, servers: 2 }] },
  { kind: "servers", pool: "app", servers: [{ server: "b", share: 256, up: true }] },
  { kind: "counters", connections: 1, accepted: 2, requests: 3, errors: 0, workersReplaced: 0 },
  { kind: "probe", id: 7, pool: "app", server: "b", host: "10.0.0.1", port: 80 },
];

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function decode(chunks: readonly Uint8Array[]): Decoded<ToKeeper>[] {
  const decoder = new LineDecoder<ToKeeper>(TO_KEEPER);
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

Deno.test("LineDecoder() reads every message whole, split at every point and byte by byte", () => {
  const bytes = concat(MESSAGES.map(encodeLine));
  const expected = MESSAGES.map((message) => ({ kind: "message" as const, message }));
  assertEquals(decode([bytes]), expected);
  for (let at = 0; at <= bytes.length; at++) {
    assertEquals(decode([bytes.subarray(0, at), bytes.subarray(at)]), expected);
  }
  assertEquals(decode(Array.from(bytes, (byte) => new Uint8Array([byte]))), expected);
});

Deno.test("LineDecoder() keeps what it needs of a buffer that its reader uses again", () => {
  const line = encodeLine({ kind: "ready", generation: 3 });
  const buffer = line.slice(0, 10);
  const decoder = new LineDecoder<ToKeeper>(TO_KEEPER);
  decoder.push(buffer);
  buffer.fill(0);
  assertEquals(decoder.push(line.slice(10)), [{
    kind: "message",
    message: { kind: "ready", generation: 3 },
  }]);
});

Deno.test("LineDecoder() reports lines that are no messages and goes on after them", () => {
  const bad = [
    "",
    "nonsense",
    "[]",
    "null",
    '{"kind":7}',
    '{"kind":"ready"}',
    '{"kind":"ready","generation":-1}',
    '{"kind":"ready","generation":1,"command":"rm"}',
    '{"kind":"heartbeat","sequence":1,"lagMs":"1"}',
    '{"__proto__":{"kind":"ready"},"generation":1}',
  ];
  const bytes = new TextEncoder().encode(bad.join("\n") + '\n{"kind":"ready","generation":1}\n');
  const decoded = decode([bytes]);
  assertEquals(decoded.map((one) => one.kind), [...bad.map(() => "malformed" as const), "message"]);
});

Deno.test("LineDecoder() passes over messages of kinds that it does not know, as another version may have them", () => {
  const others = [
    '{"kind":"rules","part":0,"parts":2,"text":"flush ruleset"}',
    '{"kind":"constructor"}',
    '{"kind":"hello","version":"1","node":"a","context":null,"file":"f","exclusive":true}',
  ];
  const bytes = new TextEncoder().encode(others.join("\n") + '\n{"kind":"ready","generation":1}\n');
  assertEquals(decode([bytes]), [{ kind: "message", message: { kind: "ready", generation: 1 } }]);
});

Deno.test("TO_KEEPER takes the longest name that a server without one can have", () => {
  const host = ["a", "b", "c", "d"].map((letter) => letter.repeat(letter === "d" ? 61 : 63)).join(".");
  const server = `${host}:65535#ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`;
  const probe = { kind: "probe" as const, id: 1, pool: "app", server, host: "10.0.0.1", port: 80 };
  assertEquals(decode([encodeLine(probe)]), [{ kind: "message", message: probe }]);
});

Deno.test("LineDecoder() refuses bytes that are not UTF-8", () => {
  assertEquals(decode([new Uint8Array([0x22, 0xff, 0x22, 0x0a])])[0]?.kind, "malformed");
});

Deno.test("LineDecoder() takes a line of exactly LINE_BYTES and skips one byte more", () => {
  const pad = (length: number) => {
    const line = '{"kind":"ready","generation":1';
    return new TextEncoder().encode(line + " ".repeat(length - line.length - 1) + "}\n");
  };
  assertEquals(decode([pad(LINE_BYTES)])[0]?.kind, "message");
  assertEquals(decode([pad(LINE_BYTES + 1), pad(100)]).map((one) => one.kind), ["malformed", "message"]);
});

Deno.test("LineDecoder() fuzz: any bytes in any chunks", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(...MESSAGES).map((message) => encodeLine(message) as Uint8Array),
    fc.constant(new Uint8Array([0x0a])),
    fc.constant(new Uint8Array(LINE_BYTES).fill(0x20)),
  );
  fc.assert(fc.property(fc.array(chunk, { maxLength: 20 }), fc.nat(1000), (chunks, cut) => {
    const decoder = new LineDecoder<ToKeeper>(TO_KEEPER);
    const found: Decoded<ToKeeper>[] = [];
    for (const one of chunks) {
      found.push(...decoder.push(one));
      assert(decoder.held <= LINE_BYTES);
    }
    const whole = concat(chunks);
    const at = Math.min(cut, whole.length);
    assertEquals(decode([whole.subarray(0, at), whole.subarray(at)]), found);
    assertEquals(found.length, whole.filter((byte) => byte === 0x0a).length);
  }));
});

Deno.test("encodeLine() fits the largest messages that the schema allows, and refuses more", () => {
  const worst = "\u0001";
  const largest: (ToKeeper | ToBalancer)[] = [
    {
      kind: "health",
      pools: Array.from({ length: POOLS_IN_MESSAGE }, () => ({
        pool: worst.repeat(256),
        healthy: Number.MAX_SAFE_INTEGER,
        servers: Number.MAX_SAFE_INTEGER,
      })),
    },
    rejectedMessage(Number.MAX_SAFE_INTEGER, Array.from({ length: 500 }, () => worst.repeat(10_000))),
    {
      kind: "config",
      generation: Number.MAX_SAFE_INTEGER,
      part: MAX_PARTS - 1,
      parts: MAX_PARTS,
      text: worst.repeat(PART_UNITS),
    },
    {
      kind: "hello",
      version: worst.repeat(256),
      node: worst.repeat(256),
      context: worst.repeat(256),
      file: worst.repeat(4096),
      exclusive: false,
    },
    {
      kind: "probeResult",
      id: Number.MAX_SAFE_INTEGER,
      ok: false,
      reason: worst.repeat(4096),
      latencyMs: 1 / 3,
    },
  ];
  for (const message of largest) {
    assert(encodeLine(message).length <= LINE_BYTES + 1);
    const schema = [TO_KEEPER, TO_BALANCER].find((one) => one.safeParse(message).success);
    assert(schema !== undefined, `${message.kind} passes its own schema`);
  }
  assertThrows(
    () => encodeLine({ kind: "probeResult", id: 1, ok: true, reason: "x".repeat(LINE_BYTES), latencyMs: 0 }),
    Error,
    "Cannot send `probeResult`",
  );
});

Deno.test("rejectedMessage() says how many problems it left out", () => {
  const message = rejectedMessage(1, Array.from({ length: 60 }, (_, index) => `problem ${index}`));
  assert(message.kind === "rejected");
  assertEquals(message.problems.length, 50);
  assertEquals(message.problems.at(-1), "and 11 more");
});
