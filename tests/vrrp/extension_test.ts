import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import {
  type Extension,
  type Key,
  keyProblem,
  MAX_BODY_BYTES,
  MAX_DATAGRAM_BYTES,
  seal,
  unseal,
  type Unsealed,
} from "../../vrrp/extension.ts";
import { hmacSha256 } from "../../vrrp/hmac_io.ts";
import { assert, assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { fromHex, toHex } from "./hex.ts";

const SOURCE = parseIp("10.0.0.1")!;
const secret = (text: string) => new TextEncoder().encode(text);
const OLD: Key = { id: 1, secret: secret("the old secret of the pair") };
const NEW: Key = { id: 2, secret: secret("the new secret of the pair") };
const BODY = fromHex("310ac8020064828ac0000201c0000202");
const EXTENSION: Extension = {
  kind: "advert",
  node: "lb1",
  health: 65535,
  configHash: 0x0123456789abcdefn,
  incarnation: 0xfedcba9876543210n,
  sequence: 7,
  timestampMs: 1_700_000_000_000,
  nonce: 42n,
  echoes: [43n, 0xffffffffffffffffn],
};
const sealed = (keys: readonly Key[], extension = EXTENSION, source = SOURCE) =>
  seal(BODY, extension, source, keys, hmacSha256);
const opened = (bytes: Uint8Array, keys: readonly Key[], source = SOURCE) =>
  unseal(bytes, source, keys, hmacSha256);
const reason = (result: Unsealed) => result.ok ? "ok" : result.reason;

Deno.test("hmacSha256() is HMAC-SHA256 (RFC 4231 test case 2)", () => {
  assertEquals(
    toHex(hmacSha256(secret("Jefe"), secret("what do ya want for nothing?"))),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

Deno.test("seal() keeps the VRRP packet at the datagram's beginning", () => {
  assertEquals(toHex(sealed([OLD]).subarray(0, BODY.length)), toHex(BODY));
});

Deno.test("unseal() reads back what seal() wrote, signed and unsigned", () => {
  for (const keys of [[OLD], []]) {
    const result = opened(sealed(keys), keys);
    assert(result.ok);
    assertEquals(toHex(result.body), toHex(BODY));
    assertEquals(result.extension, EXTENSION);
    assertEquals(result.keyId, keys[0]?.id ?? 0);
  }
});

Deno.test("unseal() accepts every key while the first one signs, so that keys can be changed without a gap", () => {
  assertEquals(reason(opened(sealed([OLD]), [NEW, OLD])), "ok");
  assertEquals(reason(opened(sealed([NEW, OLD]), [OLD, NEW])), "ok");
  const result = opened(sealed([NEW, OLD]), [OLD, NEW]);
  assert(result.ok);
  assertEquals(result.keyId, NEW.id);
  assertEquals(reason(opened(sealed([NEW, OLD]), [OLD])), "key");
});

Deno.test("unseal() of unsigned nodes hears only unsigned ones, of signed ones only signed", () => {
  assertEquals(reason(opened(sealed([]), [OLD])), "unsigned");
  assertEquals(reason(opened(sealed([OLD]), [])), "signed");
});

Deno.test("unseal() refuses the same key id with another secret, and another sender address", () => {
  assertEquals(reason(opened(sealed([{ id: 1, secret: NEW.secret }]), [OLD])), "signature");
  assertEquals(reason(opened(sealed([OLD]), [OLD], parseIp("10.0.0.2")!)), "signature");
  assertEquals(reason(opened(sealed([OLD]), [OLD], parseIp("::ffff:10.0.0.1")!)), "signature");
});

Deno.test("unseal() refuses a datagram with any one bit changed", () => {
  const bytes = sealed([OLD]);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 0x80 >> (bit & 7);
    assertNotEquals(reason(opened(changed, [OLD])), "ok", `bit ${bit}`);
  }
});

Deno.test("unseal() fed at every length is complete only at the whole datagram", () => {
  for (const keys of [[OLD], []]) {
    const bytes = sealed(keys);
    for (let length = 0; length < bytes.length; length++) {
      assertNotEquals(reason(opened(bytes.subarray(0, length), keys)), "ok", `${length}`);
    }
    assertNotEquals(reason(opened(new Uint8Array([...bytes, 0]), keys)), "ok");
  }
});

Deno.test("unseal() refuses what is too large, a bare VRRP packet, and names that would spoil a log", () => {
  assertEquals(reason(opened(new Uint8Array(MAX_DATAGRAM_BYTES + 1), [])), "oversize");
  assertEquals(reason(opened(BODY, [])), "extension");
  assertEquals(reason(opened(sealed([], { ...EXTENSION, node: "a\nb" }), [])), "extension");
});

Deno.test("unseal() refuses lengths that do not add up and unknown kinds, versions and flags", () => {
  const bytes = sealed([]);
  const fixed = bytes.length - 32 - 52;
  // Body length, name length, echo count, kind, both reserved bytes, version, magic, the sequence's highest byte.
  for (const at of [43, 44, 45, 47, 48, 49, 50, 51, 8]) {
    const changed = bytes.slice();
    changed[fixed + at]! ^= 0x40;
    assertEquals(reason(opened(changed, [])), "extension", `byte ${at}`);
  }
});

Deno.test("unseal() reads back any envelope and never throws, whatever the bytes", () => {
  const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
  const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const extensions: fc.Arbitrary<Extension> = fc.record({
    kind: fc.constantFrom("advert" as const, "report" as const),
    node: fc.stringMatching(/^[a-z0-9.-]{1,64}$/),
    health: fc.integer({ min: 0, max: 65535 }),
    configHash: u64,
    incarnation: u64,
    sequence: safe,
    timestampMs: safe,
    nonce: u64,
    echoes: fc.array(u64, { maxLength: 8 }),
  });
  const bodies = fc.uint8Array({ maxLength: MAX_BODY_BYTES });
  fc.assert(fc.property(bodies, extensions, (body, extension) => {
    const result = opened(seal(body, extension, SOURCE, [NEW], hmacSha256), [OLD, NEW]);
    assert(result.ok);
    assertEquals(toHex(result.body), toHex(body));
    assertEquals(result.extension, extension);
  }));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, framed) => {
      const tail = sealed([]).slice(-84);
      const bytes = framed ? new Uint8Array([...noise, ...tail]) : noise;
      const result = opened(bytes, []);
      if (result.ok) assert(framed);
    }),
  );
});

Deno.test("seal() refuses what does not fit, and every allowed body fits", () => {
  const longest = { ...EXTENSION, node: "n".repeat(64), echoes: Array<bigint>(8).fill(1n) };
  const bytes = seal(new Uint8Array(MAX_BODY_BYTES), longest, SOURCE, [OLD], hmacSha256);
  assertEquals(bytes.length, MAX_DATAGRAM_BYTES);
  assertThrows(
    () => seal(new Uint8Array(MAX_BODY_BYTES + 1), longest, SOURCE, [OLD], hmacSha256),
    RangeError,
  );
  assertThrows(() => sealed([], { ...EXTENSION, node: "n".repeat(65) }), RangeError);
  assertThrows(() => sealed([], { ...EXTENSION, echoes: Array<bigint>(9).fill(1n) }), RangeError);
});

Deno.test("keyProblem() wants ids of one byte, each once, and secrets of 16 bytes", () => {
  assertEquals(keyProblem([OLD, NEW]), null);
  assertEquals(keyProblem([{ id: 1, secret: secret("0123456789abcdef") }]), null);
  assertStringIncludes(keyProblem([{ id: 1, secret: secret("0123456789abcde") }]) ?? "", "16 bytes");
  assertStringIncludes(keyProblem([{ ...OLD, id: 0 }]) ?? "", "1-255");
  assertStringIncludes(keyProblem([{ ...OLD, id: 256 }]) ?? "", "1-255");
  assertStringIncludes(keyProblem([OLD, { ...NEW, id: 1 }]) ?? "", "two keys");
});
