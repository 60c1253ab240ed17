import { type ByteWriter, Sink } from "../../mod/observe/sink_io.ts";
import { assertEquals } from "../assert.ts";

/** Takes a byte or two at a time, each only after `let` was called. */
class SlowWriter implements ByteWriter {
  text = "";
  #waiting: (() => void)[] = [];
  failure: Error | null = null;

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.failure !== null) throw this.failure;
    const part = bytes.subarray(0, 2);
    this.text += new TextDecoder().decode(part);
    return part.length;
  }

  async letAll(): Promise<void> {
    for (let idle = 0; idle < 5; idle++) {
      const waiting = this.#waiting.splice(0);
      if (waiting.length > 0) idle = 0;
      for (const resolve of waiting) resolve();
      await Promise.resolve();
    }
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("push() writes whole batches in order, however little a write takes", async () => {
  const writer = new SlowWriter();
  const sink = new Sink(writer);
  const done: string[] = [];
  for (const text of ["abc\n", "d\n", "efghi\n"]) sink.push(bytes(text), () => done.push(text));
  assertEquals(done, []);
  await writer.letAll();
  await sink.flush();
  assertEquals([writer.text, done], ["abc\nd\nefghi\n", ["abc\n", "d\n", "efghi\n"]]);
});

Deno.test("push() drops and counts what goes over the backlog, and goes on when there is room", async () => {
  const writer = new SlowWriter();
  const sink = new Sink(writer, 6);
  let done = 0;
  for (const text of ["aaaa", "bbbb", "cc"]) sink.push(bytes(text), () => done++);
  assertEquals([sink.droppedBatches, sink.droppedBytes, done], [1, 4, 1]);
  await writer.letAll();
  await sink.flush();
  sink.push(bytes("dddddd"));
  await writer.letAll();
  await sink.flush();
  assertEquals(writer.text, "aaaaccdddddd");
});

Deno.test("push() drops everything after a write failed", async () => {
  const writer = new SlowWriter();
  const sink = new Sink(writer);
  let done = 0;
  for (const text of ["aa", "bb"]) sink.push(bytes(text), () => done++);
  writer.failure = new Error("broken pipe");
  await writer.letAll();
  await sink.flush();
  sink.push(bytes("cc"), () => done++);
  assertEquals([done, sink.droppedBytes, sink.error], [3, 6, writer.failure]);
});
