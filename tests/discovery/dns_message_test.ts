/** Invariant of the fuzz: decoding any bytes ends, throws nothing, and never takes an answer to another question. */
import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import {
  decodeAnswer,
  encodeQuery,
  type Question,
  type RecordType,
} from "../../mod/discovery/dns_message.ts";

const QUESTION: Question = { id: 0x1234, name: "app.test", type: "A" };

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function labels(name: string): number[] {
  if (name === "") return [0];
  return [...name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

function u16(value: number): number[] {
  return [value >> 8 & 0xff, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

const NUMBERS = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };

function record(owner: string, type: RecordType, ttlS: number, data: number[]): number[] {
  return [...labels(owner), ...u16(NUMBERS[type]), ...u16(1), ...u32(ttlS), ...u16(data.length), ...data];
}

/** A response to `question` with these answer records. */
function response(records: number[][], question = QUESTION, flags = 0x8180): Uint8Array {
  const head = [...u16(question.id), ...u16(flags), ...u16(1), ...u16(records.length), 0, 0, 0, 0];
  const asked = [...labels(question.name), ...u16(NUMBERS[question.type]), ...u16(1)];
  return Uint8Array.from([...head, ...asked, ...records.flat()]);
}

function asking(type: RecordType, name = "app.test"): Question {
  return { id: 7, name, type };
}

Deno.test("encodeQuery() RFC 1035 section 4.1: header with recursion desired, one question", () => {
  assertEquals(
    encodeQuery(QUESTION),
    hex("1234 0100 0001 0000 0000 0000 03617070 0474657374 00 0001 0001"),
  );
});

Deno.test("encodeQuery() a name that does not fit into a message is not asked for", () => {
  for (const name of ["", "a..b", `${"x".repeat(64)}.test`, "x.".repeat(127) + "yy", "\u00fc.test"]) {
    assertEquals(encodeQuery({ ...QUESTION, name }), null, name);
  }
  assert(encodeQuery({ ...QUESTION, name: "x.".repeat(126) + "y" }) !== null);
});

Deno.test("decodeAnswer() a compressed answer as nameservers send it", () => {
  const bytes = hex(
    "1234 8580 0001 0002 0000 0000 03617070 0474657374 00 0001 0001" +
      "c00c 0001 0001 00000007 0004 0a010101  c00c 0001 0001 00000005 0004 0a010102",
  );
  assertEquals(decodeAnswer(bytes, QUESTION), {
    kind: "found",
    addresses: ["10.1.1.1", "10.1.1.2"],
    services: [],
    ttlS: 5,
  });
});

Deno.test("decodeAnswer() AAAA is canonical text", () => {
  const question = asking("AAAA");
  const data = [0xfd, ...new Array<number>(14).fill(0), 1];
  const answer = decodeAnswer(response([record("app.test", "AAAA", 60, data)], question), question);
  assertEquals(answer, { kind: "found", addresses: ["fd00::1"], services: [], ttlS: 60 });
});

Deno.test("decodeAnswer() RFC 2782: priority, weight, port and target of SRV", () => {
  const question = asking("SRV", "_app._tcp.test");
  const data = [...u16(10), ...u16(5), ...u16(8080), ...labels("App.Test")];
  const gone = [...u16(0), ...u16(0), ...u16(0), 0];
  const records = [record("_app._tcp.test", "SRV", 30, data), record("_app._tcp.test", "SRV", 30, gone)];
  assertEquals(decodeAnswer(response(records, question), question), {
    kind: "found",
    addresses: [],
    services: [
      { priority: 10, weight: 5, port: 8080, target: "app.test" },
      { priority: 0, weight: 0, port: 0, target: "" },
    ],
    ttlS: 30,
  });
});

Deno.test("decodeAnswer() follows aliases in any order, with the least time to live on the way", () => {
  const records = [
    record("c.test", "A", 300, [10, 0, 0, 1]),
    record("b.test", "CNAME", 20, labels("c.test")),
    record("app.test", "CNAME", 100, labels("b.test")),
    record("other.test", "A", 1, [10, 0, 0, 9]),
  ];
  assertEquals(decodeAnswer(response(records), QUESTION), {
    kind: "found",
    addresses: ["10.0.0.1"],
    services: [],
    ttlS: 20,
  });
});

Deno.test("decodeAnswer() aliases in a circle end without an answer", () => {
  const records = [
    record("app.test", "CNAME", 9, labels("b.test")),
    record("b.test", "CNAME", 9, labels("app.test")),
  ];
  assertEquals(decodeAnswer(response(records), QUESTION), { kind: "none", reason: "no A records" });
});

Deno.test("decodeAnswer() tells no such name, no such record and failure apart", () => {
  assertEquals(decodeAnswer(response([], QUESTION, 0x8183), QUESTION), {
    kind: "none",
    reason: "no such name",
  });
  assertEquals(decodeAnswer(response([]), QUESTION), { kind: "none", reason: "no A records" });
  assertEquals(decodeAnswer(response([], QUESTION, 0x8182), QUESTION), {
    kind: "failed",
    reason: "server failure",
  });
  assertEquals(decodeAnswer(response([], QUESTION, 0x818b), QUESTION), {
    kind: "failed",
    reason: "error 11",
  });
  assertEquals(decodeAnswer(hex("1234 8181 0000 0000 0000 0000"), QUESTION), {
    kind: "failed",
    reason: "format error",
  });
});

Deno.test("decodeAnswer() a truncated answer asks for TCP, whatever it holds", () => {
  assertEquals(decodeAnswer(response([], QUESTION, 0x8380), QUESTION), { kind: "truncated" });
});

Deno.test("decodeAnswer() RFC 2181 section 8: a time to live with the top bit set is 0", () => {
  const answer = decodeAnswer(response([record("app.test", "A", 0x80000001, [10, 0, 0, 1])]), QUESTION);
  assertEquals(answer.kind === "found" && answer.ttlS, 0);
});

Deno.test("decodeAnswer() passes over what answers another question", () => {
  const good = response([record("app.test", "A", 9, [10, 0, 0, 1])]);
  const others: Question[] = [
    { ...QUESTION, id: 1 },
    { ...QUESTION, name: "app2.test" },
    { ...QUESTION, type: "AAAA" },
  ];
  for (const question of others) assertEquals(decodeAnswer(good, question), { kind: "other" });
  const query = encodeQuery(QUESTION);
  assert(query !== null);
  assertEquals(decodeAnswer(query, QUESTION), { kind: "other" });
});

Deno.test("decodeAnswer() a name that differs only in case is the same name", () => {
  const bytes = response([record("APP.test", "A", 9, [10, 0, 0, 1])], { ...QUESTION, name: "aPp.TEST" });
  assertEquals(decodeAnswer(bytes, QUESTION).kind, "found");
});

Deno.test("decodeAnswer() a label with a dot inside is not two labels", () => {
  const dotted = [7, ...new TextEncoder().encode("x.y.tes"), 0];
  const question = asking("SRV");
  const data = [...u16(1), ...u16(1), ...u16(1), ...dotted];
  const answer = decodeAnswer(response([record("app.test", "SRV", 9, data)], question), question);
  assertEquals(answer.kind === "found" && answer.services[0]?.target, "x\\046y\\046tes");
});

Deno.test("decodeAnswer() pointers that lead forwards, to themselves or out of the message are malformed", () => {
  for (const pointer of ["c01a", "c01c", "cfff", "c0", "40", "80"]) {
    const head = "1234 8180 0001 0001 0000 0000 03617070 0474657374 00 0001 0001";
    const answer = decodeAnswer(hex(`${head} ${pointer} 0001 0001 00000007 0004 0a010101`), QUESTION);
    assertEquals(answer.kind, "failed", pointer);
  }
});

Deno.test("decodeAnswer() cut anywhere it never gives a record that was not whole", () => {
  const whole = response([
    record("app.test", "A", 9, [10, 0, 0, 1]),
    record("app.test", "A", 9, [10, 0, 0, 2]),
  ]);
  for (let size = 0; size < whole.length; size++) {
    const { kind } = decodeAnswer(whole.subarray(0, size), QUESTION);
    assert(kind === "other" || kind === "failed", `${size}: ${kind}`);
  }
});

Deno.test("decodeAnswer() fuzz: random bytes and damaged answers do no harm", () => {
  const seeds = [
    response([record("app.test", "CNAME", 9, labels("b.test")), record("b.test", "A", 9, [10, 0, 0, 1])]),
    hex(
      "1234 8580 0001 0002 0000 0000 03617070 0474657374 00 0001 0001" +
        "c00c 0001 0001 00000007 0004 0a010101  c00c 0001 0001 00000005 0004 0a010102",
    ),
  ];
  const damage = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 });
  const damaged = fc.tuple(fc.constantFrom(...seeds), damage).map(([seed, changes]) => {
    const bytes = seed.slice();
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged), (bytes) => {
      const answer = decodeAnswer(bytes, QUESTION);
      if (answer.kind === "other") return;
      assertEquals([bytes[0], bytes[1]], [0x12, 0x34]);
      if (answer.kind === "found") assert(answer.addresses.length > 0 && answer.services.length === 0);
    }),
    { numRuns: 2000 },
  );
});
