/** The Debian package: built, looked into, installed, updated and removed with dpkg, in a root of its own. */
import { buildDeb } from "../../packaging/deb.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { binary } from "./binary.ts";
import { ThrowawayRoot } from "./throwaway_root.ts";
import { labTest } from "./tools.ts";

const NEEDS = ["binary", "root", "namespaces", "dpkg-deb", "systemd-analyze", "setpriv", "nsenter"] as const;

async function say(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function withDeb(use: (deb: string, directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-deb-test-" });
  try {
    const target = Deno.build.target;
    // Not compressed: that is most of the time of a build.
    const options = { target, binary: await binary(), output: directory, compression: "none" };
    await use(await buildDeb(options), directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

labTest("buildDeb() packs what is said, all of it root's, and nothing that others may write", [
  ...NEEDS,
], async () => {
  await withDeb(async (deb) => {
    const control = await say("dpkg-deb", "--field", deb);
    assertMatch(
      control,
      /^Package: tandem\nVersion: \d+\.\d+\.\d+(~\d{8}\.[0-9a-f]+(\.changed)?)?\nArchitecture: amd64\n/,
    );
    const lines = (await say("dpkg-deb", "--contents", deb)).trimEnd().split("\n");
    for (const line of lines) assertMatch(line, /^[d-]rw[x-]r-[x-]r-[x-] root\/root /);
    const modes = new Map(lines.map((line) => [line.split(/\s+/)[5]!, line.slice(0, 10)]));
    assertEquals(modes.get("./usr/bin/tandem"), "-rwxr-xr-x");
    assertEquals(modes.get("./usr/lib/systemd/system/tandem.service"), "-rw-r--r--");
    for (
      const path of [
        "lib/sysusers.d/tandem.conf",
        "lib/tmpfiles.d/tandem.conf",
        "lib/sysctl.d/60-tandem.conf",
      ]
    ) {
      assert(modes.has(`./usr/${path}`), path);
    }
    for (const path of ["README.md", "copyright", "docs/install.md", "examples/pair.yaml"]) {
      assert(modes.has(`./usr/share/doc/tandem/${path}`), path);
    }
  });
});

labTest("buildDeb() is installed with its user, not enabled, updated without loss, and removed", [
  ...NEEDS,
], async () => {
  await withDeb(async (deb, directory) => {
    await using root = await ThrowawayRoot.make(directory);
    const package_ = `/mnt/${deb.slice(deb.lastIndexOf("/") + 1)}`;
    await root.must("dpkg", "--install", package_);
    assertMatch(
      await root.must("getent", "passwd", "tandem"),
      /^tandem:x:\d{1,3}:\d+:[^:]*:\/:\/usr\/sbin\/nologin/,
    );
    assertEquals(
      await root.must(
        "stat",
        "-c",
        "%a %U:%G",
        "/etc/tandem",
        "/etc/tandem/tandem.yaml",
        "/etc/default/tandem",
      ),
      "750 root:tandem\n640 root:tandem\n640 root:tandem\n",
    );
    const wants = "/etc/systemd/system/multi-user.target.wants/tandem.service";
    assertEquals((await root.run("test", "-e", wants)).code, 1, "enabled by itself");
    // The unit as it is, with everything that it names.
    assertEquals(await root.must("systemd-analyze", "verify", "/usr/lib/systemd/system/tandem.service"), "");

    const asUser = ["--reuid=tandem", "--regid=tandem", "--init-groups", "/usr/bin/tandem"];
    assertMatch(await root.must("setpriv", ...asUser, "version"), /^tandem \d/);
    const checked = await root.must("setpriv", ...asUser, "check", "-c", "/etc/tandem/tandem.yaml");
    assertStringIncludes(checked, "good for node");

    await root.must("sh", "-c", "echo '# ours' >> /etc/tandem/tandem.yaml");
    await root.must("dpkg", "--install", package_);
    assertStringIncludes(await root.must("cat", "/etc/tandem/tandem.yaml"), "# ours");
    assertEquals(await root.must("stat", "-c", "%a %U:%G", "/etc/tandem/tandem.yaml"), "640 root:tandem\n");

    await root.must("dpkg", "--remove", "tandem");
    assertEquals((await root.run("test", "-e", "/usr/bin/tandem")).code, 1);
    assertStringIncludes(await root.must("cat", "/etc/tandem/tandem.yaml"), "# ours");
    await root.must("dpkg", "--purge", "tandem");
    assertEquals((await root.run("test", "-e", "/etc/tandem")).code, 1);
  });
  assertEquals(
    (await new Deno.Command("dpkg", { args: ["--status", "tandem"], stderr: "null" }).output()).code,
    1,
  );
});
