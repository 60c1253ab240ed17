/** What comes out of the compressors is read back by the programs that everybody has. */
import {
  Compressors,
  FINISH,
  FLUSH,
  type Flushable,
  GO,
  MEMORY_BYTES,
} from "../../mod/compress/compressor.ts";
import { makeCompressor, tryEncodings } from "../../mod/compress/zlib_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";

const TEXT = Uint8Array.from({ length: 300_000 }, (_, at) => 97 + (at * at >> 7) % 26);
const READERS = { gzip: ["gzip", "-dc"], br: ["brotli", "-dc"], zstd: ["zstd", "-dc", "-q"] } as const;
const LEVELS = { gzip: [1, 4, 9], br: [0, 4, 6], zstd: [1, 3, 6] } as const;

/** Compresses in pieces, flushing now and then, into an output of `room` bytes. */
function compress(
  encoding: "gzip" | "br" | "zstd",
  level: number,
  piece: number,
  room: number,
): Uint8Array<ArrayBuffer> {
  const compressor = makeCompressor(encoding, level);
  const out = new Uint8Array(room);
  const all: number[] = [];
  const run = (start: number, end: number, mode: 0 | 1 | 2) => {
    for (let size = room; size === room;) {
      size = compressor.write(TEXT, start, end, mode, out);
      start = end - compressor.rest;
      all.push(...out.subarray(0, size));
    }
    assertEquals(start, end);
  };
  for (let at = 0; at < TEXT.length; at += piece) {
    run(at, Math.min(TEXT.length, at + piece), GO);
    if (at % (3 * piece) === 0) run(0, 0, FLUSH);
  }
  run(0, 0, FINISH);
  compressor.close();
  return new Uint8Array(all);
}

for (const encoding of ["gzip", "br", "zstd"] as const) {
  const [program, ...args] = READERS[encoding];
  labTest(
    `makeCompressor() ${program} reads what ${encoding} makes of pieces of any size`,
    [program],
    async () => {
      for (const level of LEVELS[encoding]) {
        for (
          const [piece, room] of [[TEXT.length, 65_536], [65_536, 1000], [4096, 65_536], [
            65_536,
            16,
          ]] as const
        ) {
          const compressed = compress(encoding, level, piece, room);
          assert(compressed.length < TEXT.length, `${compressed.length} bytes`);
          const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
          const writer = child.stdin.getWriter();
          void writer.write(compressed).then(() => writer.close()).catch(() => {});
          const { stdout, success } = await child.output();
          assert(success && stdout.length === TEXT.length && stdout.every((byte, at) => byte === TEXT[at]));
        }
      }
    },
  );
}

Deno.test("makeCompressor() may be asked once too often, as when its output was just full", () => {
  for (const encoding of ["gzip", "br", "zstd"] as const) {
    const compressor = makeCompressor(encoding, 4);
    const out = new Uint8Array(65_536);
    compressor.write(TEXT, 0, 1000, GO, out);
    for (const mode of [FLUSH, FLUSH, GO, FINISH, FINISH] as const) compressor.write(TEXT, 0, 0, mode, out);
    assertEquals(compressor.write(TEXT, 0, 0, FINISH, out), 0, encoding);
    compressor.close();
  }
});

Deno.test("tryEncodings() finds all three in this runtime", () => {
  assertEquals(tryEncodings(), ["zstd", "br", "gzip"]);
});

Deno.test("Compressors.open() gives no more than there is memory for, and what is closed can be had again", () => {
  let open = 0;
  const compressors = new Compressors({
    encodings: ["gzip"],
    make: () => {
      open++;
      return { rest: 0, write: () => 0, close: () => open-- };
    },
    afterPause() {},
    onBug() {},
  });
  const all = [];
  for (let one = compressors.open("gzip", 4); one !== null; one = compressors.open("gzip", 4)) all.push(one);
  assertEquals([all.length, open], [Math.floor(MEMORY_BYTES / (360 * 1024)), all.length]);
  assertEquals(compressors.open("br", 4), null);
  compressors.close(all.pop()!);
  all.push(compressors.open("gzip", 9)!);
  for (const one of all) compressors.close(one);
  assertEquals(open, 0);
  compressors.close(compressors.open("br", 4)!);
});

Deno.test("Compressors.awaitPause() calls each once by one timer, whoever throws or leaves", () => {
  const tasks: (() => void)[] = [];
  const bugs: unknown[] = [];
  const calls: string[] = [];
  const compressors = new Compressors({
    encodings: [],
    make: () => {
      throw new Error("none");
    },
    afterPause: (task) => tasks.push(task),
    onBug: (error) => bugs.push(error),
  });
  const one = (name: string): Flushable => ({
    onPause: () => {
      calls.push(name);
      if (name === "b") throw new Error("a bug");
    },
  });
  const [a, b, c, d] = [one("a"), one("b"), one("c"), one("d")];
  for (const each of [a, b, c, d, a]) compressors.awaitPause(each);
  compressors.forget(c);
  assertEquals(tasks.length, 1);
  tasks.pop()!();
  assertEquals([calls, bugs.length, tasks.length], [["a", "b", "d"], 1, 0]);
  for (let round = 0; round < 3; round++) {
    compressors.awaitPause(a);
    compressors.forget(a);
  }
  assertEquals(tasks.length, 1);
});
