import { distrustOf } from "../../mod/runtime/trusted_path_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

Deno.test("distrustOf() a program that others could replace is not trusted, wherever a link leads", async () => {
  const directory = await Deno.makeTempDir();
  const program = `${directory}/bin/check`;
  await Deno.mkdir(`${directory}/bin`);
  await Deno.writeTextFile(program, "", { mode: 0o755 });
  await Deno.symlink(program, `${directory}/link`);
  assertEquals([distrustOf(program), distrustOf(`${directory}/link`), distrustOf("/bin/sh")], [
    null,
    null,
    null,
  ]);
  await Deno.chmod(program, 0o757);
  for (const path of [program, `${directory}/link`]) {
    assertStringIncludes(distrustOf(path) ?? "", "bin/check is writable by everybody");
  }
  await Deno.chmod(program, 0o755);
  await Deno.chmod(`${directory}/bin`, 0o777);
  assertStringIncludes(distrustOf(program) ?? "", "bin is writable by everybody");
  assert(distrustOf(`${directory}/none`)?.includes("cannot be found"));
  await Deno.remove(directory, { recursive: true });
});
