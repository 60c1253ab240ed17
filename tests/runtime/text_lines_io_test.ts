import { readTextLines } from "../../mod/runtime/text_lines_io.ts";
import { assertEquals } from "../assert.ts";

async function read(...chunks: (string | Uint8Array<ArrayBuffer>)[]): Promise<string[]> {
  const encoder = new TextEncoder();
  const bytes = chunks.map((chunk) => typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  const lines: string[] = [];
  await readTextLines(ReadableStream.from(bytes), (line) => lines.push(line));
  return lines;
}

Deno.test("readTextLines() gives lines, wherever they are cut, and the last without its end", async () => {
  assertEquals(await read("one\ntw", "o\n\nthree"), ["one", "two", "three"]);
  const [a, b] = [0xc3, 0xa9].map((byte) => Uint8Array.of(byte));
  assertEquals(await read("caf", a!, b!, "\n"), ["café"]);
});

Deno.test("readTextLines() cuts what is too long, also when no end comes", async () => {
  const long = "x".repeat(5000);
  assertEquals((await read(long, long, long)).map(({ length }) => length), [8192]);
  assertEquals((await read(`${long}${long}\nnext\n`)).map(({ length }) => length), [8192, 4]);
});
