import fc from "fast-check";
import {
  configMessages,
  encodeLine,
  LineDecoder,
  TO_BALANCER,
  type ToBalancer,
} from "../../mod/runtime/link.ts";
import { Assembler, MAX_PARTS, PART_UNITS } from "../../mod/runtime/parts.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

Deno.test("cut() and Assembler() give back any text, over lines and schema", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 3000 }), { maxLength: 8 })
    .map((parts) => parts.join("€").repeat(7));
  fc.assert(
    fc.property(texts, (text) => {
      const decoder = new LineDecoder<ToBalancer>(TO_BALANCER);
      const assembler = new Assembler();
      const results = configMessages(9, text).flatMap((message) => decoder.push(encodeLine(message)))
        .map((one) =>
          one.kind === "message" && one.message.kind === "config" && assembler.add(9, one.message)
        );
      assertEquals(results.pop(), { text });
      assert(results.every((one) => one === null));
    }),
    { numRuns: 50 },
  );
});

Deno.test("Assembler() refuses parts out of order and starts over with the next first part", () => {
  const assembler = new Assembler();
  const add = (id: number, part: number, parts = 2) => assembler.add(id, { part, parts, text: `${part}` });
  const refused = (value: unknown) => typeof value === "object" && value !== null && "reason" in value;
  assert(refused(add(1, 1)));
  assertEquals(add(1, 0), null);
  assert(refused(add(2, 1)));
  assert(refused(add(1, 1)));
  assertEquals(add(3, 0), null);
  assertEquals(add(4, 0), null);
  assertEquals(add(4, 1), { text: "01" });
  assert(refused(add(5, 2, 2)));
});

Deno.test("cut() refuses a text of more than MAX_PARTS parts", () => {
  assertThrows(() => configMessages(1, "x".repeat(MAX_PARTS * PART_UNITS + 1)), Error, "Cannot hand over");
});
