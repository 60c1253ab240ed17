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

Deno.test("import() of another program's configuration says so, and writes nothing", async () => {
  await withDirectory(async (cwd) => {
    const text = "global\n  maxconn 100\nfrontend web\n  bind :80\n  default_backend app\n";
    await Deno.writeTextFile(`${cwd}/haproxy.cfg`, text);
    const said = "Cannot import haproxy.cfg as this is not a keepalived configuration";
    assertEquals(await tandem(["import", "haproxy.cfg"], { cwd }), { code: 1, out: "", err: `${said}\n` });
    const { code, out } = await tandem(["import", "haproxy.cfg", "--json"], { cwd });
    assertEquals([code, JSON.parse(out)], [1, { error: said }]);
  });
});

Deno.test("import() makes a line that can be taken of a notify script", async () => {
  await withDirectory(async (cwd) => {
    const text =
      'vrrp_instance edge {\ninterface eth0\nnotify_master "/bin/told up"\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n';
    await Deno.writeTextFile(`${cwd}/k.conf`, text);
    const { out } = await tandem(["import", "k.conf"], { cwd });
    assertStringIncludes(out, 'onTransition: ["/bin/told"]   # at every change, with instance, old state');
  });
});
