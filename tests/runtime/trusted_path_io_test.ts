import { distrustOf } from "../../mod/runtime/trusted_path_io.ts";
import { labTest } from "../lab/tools.ts";
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

labTest("distrustOf() who runs a program may own it, and another may not", ["root"], async () => {
  const [user, other] = [{ uid: 65534, gid: 65534 }, { uid: 65533, gid: 65533 }];
  const directory = await Deno.makeTempDir();
  const program = `${directory}/check`;
  await Deno.writeTextFile(program, "", { mode: 0o755 });
  assertEquals([distrustOf(program), distrustOf(program, user)], [null, null]);
  await Deno.chown(program, user.uid, user.gid);
  await Deno.chmod(program, 0o775);
  assertEquals(distrustOf(program, user), null);
  for (const distrust of [distrustOf(program), distrustOf(program, other)]) {
    assertStringIncludes(distrust ?? "", "check belongs to another user (uid 65534)");
  }
  // Root's own file that a group may write: of whom the group is.
  await Deno.chown(program, 0, user.gid);
  assertEquals(distrustOf(program, user), null);
  assertStringIncludes(distrustOf(program, other) ?? "", "is writable by a group (gid 65534)");
  await Deno.remove(directory, { recursive: true });
});
