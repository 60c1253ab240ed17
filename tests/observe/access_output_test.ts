import { AccessOutput } from "../../mod/observe/access_output_io.ts";
import { LogSchema } from "../../mod/config/log_schema.ts";
import type { Log } from "../../mod/observe/log.ts";
import { Sink } from "../../mod/observe/sink_io.ts";
import { assertEquals } from "../assert.ts";

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
