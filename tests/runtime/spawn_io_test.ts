import { Spawner } from "../../mod/runtime/spawn_io.ts";
import { assertEquals, assertThrows } from "../assert.ts";

Deno.test("Spawner() refuses what is on no list, and a tool by another path", () => {
  const spawner = new Spawner();
  for (const command of ["sh", "/bin/sh", "/sbin/ip", "./ip", "ip ", ""]) {
    assertThrows(() => spawner.spawn(command, {}), Error, "Cannot run a program");
  }
});

Deno.test("Spawner() runs this program itself and the scripts that were allowed last", async () => {
  const spawner = new Spawner();
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  assertEquals(
    (await spawner.spawn(Deno.execPath(), { args: ["--version"], ...quiet }).status).code,
    0,
  );
  spawner.allowScripts(["/bin/true"]);
  assertEquals((await spawner.spawn("/bin/true", quiet).status).code, 0);
  spawner.allowScripts(["/bin/false"]);
  assertThrows(() => spawner.spawn("/bin/true", quiet), Error, "Cannot run a program");
});

Deno.test("Spawner() allows no script without an absolute path", () => {
  assertThrows(() => new Spawner().allowScripts(["check.sh"]), Error, "not absolute");
});
