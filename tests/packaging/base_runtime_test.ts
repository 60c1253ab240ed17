import { HEADER_BYTES, targetOf, whatIsMissing } from "../../packaging/base_runtime.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

function elf(machine: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set([0x7f, 0x45, 0x4c, 0x46]);
  header.set([machine, 0], 18);
  return header;
}

Deno.test("targetOf() knows a program's machine by its first bytes", () => {
  assertEquals(targetOf(elf(0x3e)), "x86_64-unknown-linux-gnu");
  assertEquals(targetOf(elf(0xb7)), "aarch64-unknown-linux-gnu");
  for (const other of [elf(0x28), elf(0x3e).subarray(1), elf(0x3e).subarray(0, 18)]) {
    assertEquals(targetOf(other), null);
  }
});

Deno.test("targetOf() the runtime that runs this is of this machine", () => {
  using file = Deno.openSync(Deno.execPath());
  const header = new Uint8Array(HEADER_BYTES);
  file.readSync(header);
  assertEquals(targetOf(header), Deno.build.target);
});

Deno.test("whatIsMissing() names the runtime where it is what failed, and is silent else", () => {
  const said = "error: Writing deno compile executable\n\n0: Setting up base binary.\n1: dns error";
  const missing = whatIsMissing(said, "aarch64-unknown-linux-gnu", "2.9.6");
  assertStringIncludes(missing ?? "", "denort-aarch64-unknown-linux-gnu.zip");
  assertEquals(whatIsMissing("error: Cannot find module", "aarch64-unknown-linux-gnu", "2.9.6"), null);
});
