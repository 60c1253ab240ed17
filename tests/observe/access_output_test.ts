import { AccessOutput } from "../../mod/observe/access_output_io.ts";
import { LogSchema } from "../../mod/config/log_schema.ts";
import type { Log } from "../../mod/observe/log.ts";
import { Sink } from "../../mod/observe/sink_io.ts";
import { assert, assertEquals } from "../assert.ts";

const log = { debug() {}, info() {}, warning() {}, error() {} } as unknown as Log;

Deno.test("AccessOutput a write that is stuck holds up no destination that takes its place", async () => {
  const stuck = Promise.withResolvers<number>();
  let text = "";
  const output = new AccessOutput({
    stderr: { write: () => stuck.promise },
    stdout: {
      write: (bytes) => {
        text += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      },
    },
    host: "lb1",
    log,
  });
  const sink = new Sink(output);
  const push = (line: string) => sink.push(new TextEncoder().encode(line));
  push("lost\n");
  const prepared = output.prepare({ ...LogSchema.parse({ accessTo: "stdout" }), access: "json" });
  if ("problem" in prepared) throw new Error(prepared.problem);
  prepared.commit();
  push("kept\n");
  await sink.flush();
  assertEquals([text, sink.droppedLines], ["kept\n", 1]);
  stuck.resolve(5);
});

Deno.test("AccessOutput tells where it cannot be written and why, until it can", async () => {
  let full = true;
  const write = (bytes: Uint8Array) =>
    full ? Promise.reject(new Error("No space left on device")) : Promise.resolve(bytes.length);
  const output = new AccessOutput({ stderr: { write }, stdout: null, host: "lb1", log });
  const once = () => output.write(new Uint8Array(3)).catch(() => {});
  assertEquals(output.problem, "");
  await once();
  assertEquals(output.problem, "stderr: No space left on device");
  full = false;
  await once();
  assertEquals(output.problem, "");
});

Deno.test("AccessOutput that goes on without its file says so before anything is written, and once", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const told: string[] = [];
    const tell = (text: string) => told.push(text);
    const telling = { info: tell, error: tell } as unknown as Log;
    const stderr = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
    const output = new AccessOutput({ stderr, stdout: null, host: "lb1", log: telling });
    const to = (accessTo: string) => ({ ...LogSchema.parse({ accessTo }), access: "json" as const });
    const path = `${directory}/logs/access.log`;
    const prepared = output.prepare(to(path), true);
    if ("problem" in prepared) throw new Error(prepared.problem);
    assertEquals([output.problem, told], ["", []], "it is not wanted yet");
    prepared.commit();
    assert(output.problem.includes(path), output.problem);
    const once = () => output.write(new TextEncoder().encode("x\n")).catch(() => {});
    await once();
    assertEquals(told, ["the access log cannot be written: its lines are lost"]);
    await Deno.mkdir(`${directory}/logs`);
    await once();
    assertEquals([output.problem, told.slice(1)], ["", ["the access log can be written again"]]);
    const back = output.prepare(to("stderr"));
    if ("problem" in back) throw new Error(back.problem);
    back.commit();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
