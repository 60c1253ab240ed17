import { isTraceparent, TraceContext } from "../../mod/http/trace_context.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const GOOD = `00-${TRACE}-${PARENT}-01`;

function valid(text: string): boolean {
  const bytes = fromLatin1(`: ${text}\r\n`);
  return isTraceparent(bytes, 2, 2 + text.length);
}

Deno.test("isTraceparent() section 3.2: version, ids and flags in lower-case hex, no id of zeros alone", () => {
  for (const good of [GOOD, `00-${TRACE}-${PARENT}-00`, `00-${TRACE}-${PARENT}-ff`]) {
    assertEquals(valid(good), true, good);
  }
  const bad = [
    "",
    GOOD.slice(0, -1),
    `${GOOD}0`,
    `${GOOD}-more`,
    GOOD.toUpperCase(),
    `ff-${TRACE}-${PARENT}-01`,
    `0-${TRACE}-${PARENT}-01-`,
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00_${TRACE}-${PARENT}-01`,
    `00-${TRACE}_${PARENT}-01`,
    `00-${TRACE}-${PARENT}_01`,
    `00-${TRACE.replace("4", "g")}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-0x`,
  ];
  for (const text of bad) assertEquals(valid(text), false, text);
});

Deno.test("isTraceparent() section 4.3: of a version that is not known yet, more may follow behind a dash", () => {
  assertEquals(valid(`01-${TRACE}-${PARENT}-01`), true);
  assertEquals(valid(`01-${TRACE}-${PARENT}-01-what-the-future-brings`), true);
  assertEquals(valid(`01-${TRACE}-${PARENT}-01.`), false);
});

Deno.test("TraceContext.write() names its own span as the parent where it is sampled, and whose it was otherwise", () => {
  const written = (flags: string) => {
    const context = new TraceContext();
    context.take(fromLatin1(`00-${TRACE}-${PARENT}-${flags}`), 0);
    context.ids.set(fromLatin1("a1a1a1a1a1a1a1a1"), 32);
    const out = new Uint8Array(55);
    assertEquals(context.write(out, 0), 55);
    return latin1(out, 0, 55);
  };
  assertEquals(written("01"), `00-${TRACE}-a1a1a1a1a1a1a1a1-01`);
  assertEquals(written("03"), `00-${TRACE}-a1a1a1a1a1a1a1a1-01`);
  assertEquals(written("00"), `00-${TRACE}-${PARENT}-00`);
});

Deno.test("TraceContext.within() is true of the share of the ids that is asked for, and of the same ones", () => {
  const context = new TraceContext();
  const within = (end: string, share: number) => {
    context.ids.set(fromLatin1(end.padStart(32, "f")), 0);
    return context.within(share);
  };
  assertEquals([within("00000000", 0), within("ffffffff", 1)], [false, true]);
  assertEquals([within("7fffffff", 0.5), within("80000000", 0.5)], [true, false]);
  assertEquals([within("028f5c28", 0.01), within("028f5c29", 0.01)], [true, false]);
});
