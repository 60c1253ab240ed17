import { assertEquals, assertStringIncludes } from "../assert.ts";
import { tandem, withDirectory } from "./tandem.ts";

Deno.test("import() writes what check accepts, and takes the lines of an id", async () => {
  await withDirectory(async (cwd) => {
    const text =
      "vrrp_instance edge {\ninterface eth0\n@one priority 7\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n";
    await Deno.writeTextFile(`${cwd}/k.conf`, text);
    const { code, out, err } = await tandem(["import", "k.conf", "--id", "one"], { cwd });
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "priority: 7");
    await Deno.writeTextFile(`${cwd}/tandem.yaml`, out);
    assertEquals((await tandem(["check"], { cwd })).code, 0);
  });
});

Deno.test("import() without a file, or with one that is not there", async () => {
  assertEquals((await tandem(["import"])).code, 2);
  const { code, err } = await tandem(["import", "/nowhere/k.conf"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "Cannot read /nowhere/k.conf");
});
