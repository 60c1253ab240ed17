import { type ByteWriter, Sink } from "../../mod/observe/sink_io.ts";
import { assertEquals } from "../assert.ts";

/** Takes a byte or two at a time, each only after `let` was called. */
class SlowWriter implements ByteWriter {
  text = "";
  #waiting: (() => void)[] = [];

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
  for (const text of ["aaa\n", "b\nb\n", "c\n"]) sink.push(bytes(text), () => done++);
  assertEquals([sink.droppedLines, done], [2, 1]);
  await writer.letAll();
  await sink.flush();
  sink.push(bytes("ddddd\n"));
  await writer.letAll();
  await sink.flush();
  assertEquals(writer.text, "aaa\nc\nddddd\n");
});

Deno.test("push() drops and counts what a full disk does not take, and goes on with a whole line when it does", async () => {
  let room = 6;
  let text = "";
  const sink = new Sink({
    write(given) {
      if (room === 0) return Promise.reject(new Error("No space left on device"));
      const part = given.subarray(0, room);
      room -= part.length;
      text += new TextDecoder().decode(part);
      return Promise.resolve(part.length);
    },
  });
  let done = 0;
  for (const lines of ["aaa\n", "bbb\nccc\n", "ddd\n"]) sink.push(bytes(lines), () => done++);
  await sink.flush();
  assertEquals([text, done, sink.droppedLines], ["aaa\nbb", 3, 3]);
  room = 100;
  for (const lines of ["eee\n", "fff\n"]) sink.push(bytes(lines));
  await sink.flush();
  assertEquals([text, sink.droppedLines], ["aaa\nbb\neee\nfff\n", 3]);
});
